"""The app with which docs/topics.md begins, on Heroku: `make deploy` brings it, and the next deploy costs no vote."""

import asyncio
import json
from pathlib import Path

import first_topic
from client import new_id
from stack.compose import until
from stack.heroku.app import App
from stack.heroku.double import Heroku
from stack.heroku.pages import APP
from stack.heroku.people import Site
from strangers import history, vote_through


async def test_it_comes_by_deploy_and_the_next_version_costs_no_vote(
    heroku: Heroku, app: App, site: Site, clone: Path
) -> None:
    first_topic.install(clone / "app")
    heroku.run(f"make deploy APP={APP}", clone)
    topics = clone / "app" / "votes" / "topics.py"
    topics.write_text(topics.read_text().replace('("pizza", "pasta")', '("pizza", "pasta", "soup")'))
    retired = len(app.retired)

    async def deploy() -> None:
        await asyncio.to_thread(heroku.run, f"make deploy APP={APP}", clone)

    account = await vote_through(site.ws_url, deploy)
    assert account.dials >= 8, "everybody had to come back"
    until(lambda: len(app.retired) > retired, "the old dyno's end", 120)
    _, vote = first_topic.commands(f"https://{app.domain}")
    topic = f"votes/{new_id()}"
    said = heroku.run(f"{vote.replace('votes/lunch', topic).replace('pizza', 'soup')} -sf", heroku.folder)
    assert json.loads(said)["seq"] == 1
    assert [data for _, _, data in history(site.ws_url, topic)] == ["soup"]
