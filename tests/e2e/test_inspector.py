"""The inspector in a real browser: a developer at the machine joins a topic, sends, and cuts her own page's line."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from browser import Arrive, Person
from client import new_id
from played import until
from servers.app import FOREIGN_APP, Image, Server, environment
from servers.stack import SERVERS

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOON = "Math.random = () => 0.05"  # so are the waits between two dials
LATER = 40_000


@pytest.fixture(scope="module", params=SERVERS)
def site(request: pytest.FixtureRequest, image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    database = Path(tmp_path_factory.mktemp("inspected")) / "db.sqlite3"
    env = environment(DATABASE_URL=f"sqlite:///{database}", WS_SERVER=request.param, DEBUG="1", **FOREIGN_APP)
    image.migrate(env)
    process = image.ws("inspected", env)
    process.start()
    yield process
    process.kill()


async def opens(person: Person, topic: str) -> None:
    await person.page.add_init_script(SOON)
    await person.page.goto(person.base + "/topics/")
    await stands(person.page, "online")
    await person.page.get_by_label("Topic", exact=True).fill(topic)
    await person.page.get_by_role("button", name="Join").click()
    await hears(person.page, "here: ")


async def stands(page: Page, state: str) -> None:
    await expect(page.locator("#state")).to_have_text(state, timeout=LATER)


async def sends(page: Page, data: str) -> None:
    await page.get_by_label("JSON").fill(data)
    await page.get_by_role("button", name="Send").click()


async def hears(page: Page, words: str, times: int = 1) -> None:
    await expect(page.locator("#heard li", has_text=words)).to_have_count(times, timeout=LATER)


async def test_a_developer_joins_and_sends_and_sees_who_is_there(site: Server, arrive: Arrive) -> None:
    topic = f"votes/open-{new_id()}"
    alice, bob = await arrive(site.url), await arrive(site.url)
    await opens(alice, topic)
    await opens(bob, topic)
    await sends(alice.page, '{"option": "pizza"}')
    for person in (alice, bob):
        await hears(person.page, '{"option":"pizza"}')
    await hears(alice.page, "ack #1")
    await sends(alice.page, '{"option": "stone"}')
    await hears(alice.page, "refused: unknown option")
    await sends(alice.page, "no JSON")
    await expect(alice.page.locator("#heard li").last).to_contain_text("refused:")
    row = alice.page.locator("#topics tr", has_text=topic)
    await expect(row).to_contain_text('{"option":"pizza"}', timeout=LATER)
    await expect(row.locator("td").nth(3)).to_have_text("2", timeout=LATER)
    assert alice.problems == bob.problems == []


async def test_what_was_missed_while_the_line_was_cut_arrives_once(site: Server, arrive: Arrive) -> None:
    topic, sockets = f"votes/open-{new_id()}", []
    alice, bob = await arrive(site.url), await arrive(site.url)
    alice.page.on("websocket", lambda socket: sockets.append(socket))
    await opens(alice, topic)
    await opens(bob, topic)
    for number, option in enumerate(("pizza", "pasta", "pizza"), start=1):
        await alice.page.get_by_role("button", name="Cut").click()
        await sends(bob.page, f'{{"option": "{option}"}}')
        await hears(alice.page, f"#{number} ")
    await stands(alice.page, "online")
    await stands(bob.page, "online")
    shown = await alice.page.locator("#heard li", has_text=re.compile(r"^#\d")).all_inner_texts()
    assert [line.split()[0] for line in shown] == ["#1", "#2", "#3"]
    assert len(sockets) == 4


async def test_what_is_lost_on_a_bad_line_is_found(site: Server, arrive: Arrive) -> None:
    topic, came = f"votes/open-{new_id()}", []
    alice, bob = await arrive(site.url), await arrive(site.url)
    alice.page.on("websocket", lambda socket: socket.on("framereceived", lambda text: came.append(text)))
    await opens(alice, topic)
    await opens(bob, topic)
    await alice.page.get_by_label("delay").fill("500")
    await alice.page.get_by_label("loss").fill("90")  # of a hundred, and chance says 5
    await sends(bob.page, '{"option": "pizza"}')
    await hears(bob.page, "ack #1")
    await until(lambda: "pizza" in "".join(came))  # else it would come when nothing is lost any more
    await alice.page.get_by_label("loss").fill("0")
    await sends(bob.page, '{"option": "pasta"}')
    await hears(alice.page, "#2 ")
    shown = await alice.page.locator("#heard li", has_text=re.compile(r"^#\d")).all_inner_texts()
    assert [line.split()[0] for line in shown] == ["#1", "#2"]
    assert "".join(came).count("pizza") == 2  # the first time it was lost
    await expect(alice.page.locator("output[for=delay]")).to_have_text("500")
