"""A page of a foreign app that follows a topic by the browser module: a poll, in two tabs and more."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright, expect

from browser import ARGUMENTS, EXECUTABLE, Arrive, Person
from client import new_id
from documented import add_page, with_first_topic
from servers.app import FOREIGN_APP, Image, Server, environment
from servers.line import Line
from servers.stack import SERVERS

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOON = "Math.random = () => 0.05"  # so are the waits between two dials
VOTES = "#votes li"


@pytest.fixture(scope="module", params=SERVERS)
def site(request: pytest.FixtureRequest, image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The site with the foreign app beside rooms, on SQLite."""
    database = Path(tmp_path_factory.mktemp("polls")) / "db.sqlite3"
    env = environment(DATABASE_URL=f"sqlite:///{database}", WS_SERVER=request.param, DEBUG="1", **FOREIGN_APP)
    image.migrate(env)
    process = image.ws("polls", env)
    process.start()
    yield process
    process.kill()


@pytest_asyncio.fixture(loop_scope="session")
async def line(site: Server) -> AsyncIterator[Line]:
    async with Line(site.port) as line:
        yield line


@pytest.fixture
def poll() -> str:
    return f"/polls/open-{new_id()}/"


async def opens(person: Person, poll: str) -> None:
    await person.page.goto(person.base + poll)
    await stands(person.page, "online")


async def stands(page: Page, state: str) -> None:
    await expect(page.locator("#state")).to_have_text(state, timeout=40_000)


async def votes(person: Person, option: str) -> None:
    await person.page.get_by_role("button", name=option).click()


async def shows(person: Person, *options: str) -> None:
    """Each vote once, in order, under its number."""
    items = person.page.locator(VOTES)
    await expect(items).to_have_text(list(options), timeout=40_000)
    numbers = await items.evaluate_all("items => items.map((item) => Number(item.dataset.seq))")
    assert numbers == list(range(1, len(options) + 1))


async def test_alice_and_bob_see_each_others_votes(site: Server, arrive: Arrive, poll: str) -> None:
    alice, bob = await arrive(site.url), await arrive(site.url)
    await opens(alice, poll)
    await opens(bob, poll)
    await expect(alice.page.locator("#count")).to_have_text("2")
    await votes(alice, "pizza")
    await votes(bob, "pasta")
    for person in (alice, bob):
        await expect(person.page.locator(VOTES)).to_have_count(2)
    await votes(bob, "tea")
    await expect(bob.page.locator("#said")).to_have_text("refused: unknown option")
    shown = await alice.page.locator(VOTES).all_inner_texts()
    await alice.page.reload()
    await stands(alice.page, "online")
    await votes(alice, "pizza")
    for person in (alice, bob):
        await shows(person, *shown, "pizza")
        assert person.problems == [], "the content security policy and the module agree"


async def test_two_tabs_of_one_browser_are_one_person(site: Server, arrive: Arrive, poll: str) -> None:
    alice = await arrive(site.url)
    await opens(alice, poll)
    other = Person(await alice.page.context.new_page(), site.url)
    await opens(other, poll)
    await votes(alice, "pizza")
    for tab in (alice, other):
        await shows(tab, "pizza")
        await expect(tab.page.locator("#count")).to_have_text("1")


async def test_an_unsent_vote_survives_a_reload(line: Line, arrive: Arrive, poll: str) -> None:
    alice = await arrive(line.base_url)
    await opens(alice, poll)
    line.stall()
    await votes(alice, "pizza")
    await votes(alice, "pasta")
    await expect(alice.page.locator("#unsent li")).to_have_text(["pizza", "pasta"])
    line.cut()
    line.flow()
    await alice.page.reload()
    await shows(alice, "pizza", "pasta")
    await expect(alice.page.locator("#unsent li")).to_have_count(0)


async def test_a_server_that_is_killed_costs_nothing(site: Server, arrive: Arrive, poll: str) -> None:
    alice, bob = await arrive(site.url), await arrive(site.url)
    await opens(alice, poll)
    await opens(bob, poll)
    await votes(alice, "pizza")
    await shows(bob, "pizza")
    await asyncio.to_thread(site.kill)
    await expect(alice.page.locator("#state")).not_to_have_text("online")
    await votes(alice, "pasta")
    await asyncio.to_thread(site.start)
    for person in (alice, bob):
        await shows(person, "pizza", "pasta")


async def test_where_no_socket_comes_through_alice_votes_and_hears_all_the_same(
    site: Server, line: Line, arrive: Arrive, poll: str
) -> None:
    line.carries_sockets = False
    alice, bob = await arrive(line.base_url), await arrive(site.url)
    await alice.page.add_init_script(SOON)
    await alice.page.goto(line.base_url + poll)
    await opens(bob, poll)
    await stands(alice.page, "online by http")
    await votes(alice, "pizza")
    await shows(bob, "pizza")
    await votes(alice, "tea")
    await expect(alice.page.locator("#said")).to_have_text("refused: unknown option")
    await votes(bob, "pasta")
    await shows(alice, "pizza", "pasta")
    line.carries_sockets = True
    await stands(alice.page, "online")
    await votes(alice, "pizza")
    for person in (alice, bob):
        await shows(person, "pizza", "pasta", "pizza")


async def test_without_a_network_a_vote_waits(site: Server, arrive: Arrive, poll: str) -> None:
    alice, bob = await arrive(site.url), await arrive(site.url)
    await opens(alice, poll)
    await opens(bob, poll)
    await alice.page.context.set_offline(True)
    await stands(alice.page, "offline")
    await votes(alice, "pizza")
    await votes(bob, "pasta")
    await shows(bob, "pasta")
    await alice.page.context.set_offline(False)
    for person in (alice, bob):
        await shows(person, "pasta", "pizza")


ACTIVATED = """async () => {
  const { active } = await navigator.serviceWorker.ready;
  if (active.state !== "activated") await new Promise((then) => active.addEventListener("statechange", () => then()));
}"""


async def test_a_page_that_was_put_aside_goes_on_where_it_stopped(site: Server, arrive: Arrive, poll: str) -> None:
    """Back to it, the browser takes it out of its cache as it was: nothing is loaded again."""
    bob = await arrive(site.url)
    await opens(bob, poll)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=EXECUTABLE, args=ARGUMENTS, ignore_default_args=["--disable-back-forward-cache"]
        )
        alice = Person(await browser.new_page(), site.url)
        await alice.page.goto(site.url)
        # When it begins, the site's worker takes over all of its pages, and the browser forgets those put aside.
        await alice.page.evaluate(ACTIVATED)
        await opens(alice, poll)
        await alice.page.evaluate("globalThis.here = 'the same page'")
        await alice.page.goto(site.url)
        await expect(bob.page.locator("#count")).to_have_text("1", timeout=40_000)
        await votes(bob, "pizza")
        await shows(bob, "pizza")
        await alice.page.go_back(wait_until="commit")
        assert await alice.page.evaluate("globalThis.here") == "the same page"
        await shows(alice, "pizza")
        await votes(alice, "pasta")
        await shows(bob, "pizza", "pasta")
        await browser.close()


async def test_the_page_of_the_documentation_works_as_it_is_deployed(arrive: Arrive, tmp_path: Path) -> None:
    image = with_first_topic()
    path = add_page(image)
    env = environment(DATABASE_URL=f"sqlite:///{tmp_path}/db.sqlite3")
    image.manage("collectstatic", "--noinput", env=env)
    image.migrate(env)
    server = image.ws("documented", env)
    await asyncio.to_thread(server.start)
    try:
        alice, bob = await arrive(server.url), await arrive(server.url)
        for person in (alice, bob):
            await person.page.goto(server.url + path)
        await votes(alice, "pizza")
        for person in (alice, bob):
            await expect(person.page.locator(VOTES)).to_have_text("pizza")
        await bob.page.reload()
        await expect(bob.page.locator(VOTES)).to_have_text("pizza")
    finally:
        server.kill()
