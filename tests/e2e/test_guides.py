"""Each guide as its reader follows it: the files made, `make run`, and then two browsers."""

import asyncio
from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from browser import Arrive
from guides.checkout import Checkout, followed, guides
from guides.stories import STORIES, answer, asks, click, counts, grows, log_in, opens
from servers.app import Server
from servers.stack import SERVERS

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """With a model that has finished nothing while somebody looks, however busy the machine, but for one question."""
    checkout = followed(tmp_path_factory.mktemp("guides") / "clone")
    model = checkout.folder / "app/answers/views.py"
    text = model.read_text()
    assert text.count("* 120:") == 1
    model.write_text(text.replace("* 120:", '* (120 if question == "And now?" else 5000):'))
    return checkout


@pytest.fixture(scope="module", params=SERVERS)
def site(request: pytest.FixtureRequest, checkout: Checkout) -> Iterator[Server]:
    server = checkout.copy(request.param).server(WS_SERVER=request.param)
    server.start()
    yield server
    server.kill()


@pytest.mark.parametrize("name", STORIES)
async def test_two_browsers_see_what_the_guide_says(name: str, site: Server, arrive: Arrive) -> None:
    await STORIES[name](site.url, arrive)


async def test_a_vote_given_while_the_server_is_down_arrives_when_it_is_back(site: Server, arrive: Arrive) -> None:
    bob, carol = await arrive(site.url), await arrive(site.url)
    for person in (bob, carol):
        await opens(person, "/lunch/")
    await expect(carol.page.locator("#lunch")).to_be_visible()
    pizza, pasta = [int(number) for number in await carol.page.locator("#lunch b").all_inner_texts()]
    await asyncio.to_thread(site.kill)
    await click(carol, f"pasta: {pasta}")
    await asyncio.to_thread(site.start)
    for person in (bob, carol):
        await counts(person.page, pizza, pasta + 1, seconds=40)


async def test_an_answer_whose_writer_was_killed_has_failed_with_the_text_so_far(site: Server, arrive: Arrive) -> None:
    alice = await arrive(site.url)
    await opens(alice, "/answers/")
    await log_in(alice)
    await asks(alice, "Who is there?")
    await grows(alice, beyond=80)
    await asyncio.to_thread(site.kill)
    await asyncio.to_thread(site.start)
    await expect(answer(alice, "status")).to_have_text("failed", timeout=90_000)
    await expect(answer(alice, "text")).to_contain_text("Well …")


async def test_an_order_changed_in_the_shell_reaches_its_page(site: Server, arrive: Arrive) -> None:
    alice = await arrive(site.url)
    await opens(alice, "/orders/1/")
    await log_in(alice)
    [command] = guides()["orders"].after_start
    await asyncio.to_thread(Checkout(site.cwd).run, command)
    await expect(alice.page.locator("#status")).to_have_text("on its way")


async def test_nobody_else_may_follow_an_inbox_or_an_order(site: Server, arrive: Arrive) -> None:
    bob = await arrive(site.url)
    for topic in ("inbox/1", "orders/1"):
        response = await bob.page.request.get(f"{site.url}/topics/{topic}")
        assert response.status == 404, topic
