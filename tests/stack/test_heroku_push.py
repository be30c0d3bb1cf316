"""`git push heroku main`: Heroku builds by heroku.yml itself, and says to the pusher what it does."""

from pathlib import Path

from stack import migrations
from stack.heroku.app import App
from stack.heroku.double import Heroku
from stack.heroku.pages import commands
from stack.heroku.people import Site
from story import SocketActor, converse
from visitor import Visitor

LOBBY = "app/rooms/templates/rooms/lobby.html"
BROKEN = """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("rooms", "{after}")]
    operations = [migrations.RunSQL("SELECT 1/0")]
"""
COMMIT = "git add --all && git commit --quiet --message Change"


def push(heroku: Heroku, clone: Path) -> str:
    """What the page says, after a commit of everything."""
    heroku.run(COMMIT, clone)
    return "".join(heroku.run(line, clone) for line in commands("docs/heroku.md", "By git push"))


async def test_a_push_is_built_by_the_classic_builder_released_and_works(
    heroku: Heroku, app: App, site: Site, clone: Path
) -> None:
    lobby = clone / LOBBY
    lobby.write_text(lobby.read_text().replace("</h1>", " (pushed edition)</h1>"))
    said = push(heroku, clone)
    steps = [
        "remote: === Building web (app/Dockerfile)",
        "remote: Sending build context to Docker daemon",
        "remote: Step 1/",
        "remote: Running release command...",
        "No migrations to apply.",
        "remote: Waiting for release... done.",
        "main -> main",
    ]
    found = [said.find(step) for step in steps]
    assert -1 not in found, dict(zip(steps, found, strict=True))
    assert found == sorted(found)
    assert app.current.processes["web"].command == "python -m realtime.serve"
    assert "(pushed edition)" in Visitor(site.base_url).get("/").text
    await converse(*(SocketActor(site.ws_url) for _ in range(3)))


def test_a_push_whose_release_phase_fails_leaves_the_old_version_serving(
    heroku: Heroku, app: App, site: Site, clone: Path
) -> None:
    migration = migrations.add(clone, "tests_9003", BROKEN)
    before, dynos = app.current, list(app.dynos)
    said = push(heroku, clone)
    migration.unlink()
    assert "division by zero" in said
    assert "remote: Waiting for release... failed." in said
    assert "up-to-date" in heroku.run("git push heroku main", clone)
    assert app.current is before
    assert app.dynos == dynos
    assert "(pushed edition)" in Visitor(site.base_url).get("/").text


def test_a_push_that_cannot_be_built_is_rejected(heroku: Heroku, app: App, clone: Path) -> None:
    dockerfile = clone / "app/Dockerfile"
    text = dockerfile.read_text()
    dockerfile.write_text("FROM python:3.13-slim-trixie\nRUN echo this is broken >&2 && false\n")
    releases = len(app.releases)
    heroku.run(COMMIT, clone)
    done = heroku.shell("git push heroku main", clone)
    dockerfile.write_text(text)
    assert done.returncode != 0
    assert "this is broken" in done.stdout
    assert "main -> main (pre-receive hook declined)" in done.stdout
    assert len(app.releases) == releases
    heroku.run(COMMIT, clone)


def test_a_push_of_somebody_else_is_refused(heroku: Heroku, app: App, clone: Path) -> None:
    releases = len(app.releases)
    done = heroku.shell("git push heroku main", clone, HEROKU_API_KEY="wrong", GIT_TERMINAL_PROMPT="0")
    assert done.returncode != 0
    assert "remote: === " not in done.stdout
    assert len(app.releases) == releases
