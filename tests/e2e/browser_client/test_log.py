"""The browser client follows the log, whatever comes in which order."""

import json
from typing import Any

import pytest
from playwright.async_api import expect

from browser import Person
from played import BOB, EPOCH, Played, message, shows

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_it_goes_on_from_where_the_page_ends(alice: Person, server: Played) -> None:
    server.welcome(message(1), message(2))
    epoch = await alice.page.locator("#room").get_attribute("data-epoch")
    assert await server.asked(1) == {"since": 0, "epoch": epoch}
    await alice.is_live()
    await shows(alice.page, "n1", "n2")


async def test_a_plain_socket_does_as_well(alice: Person, server: Played) -> None:
    server.welcome()
    server.dials[-1].send(json.dumps({**message(1), "topic": server.room}))
    await shows(alice.page, "n1")


async def test_what_comes_twice_is_shown_once(alice: Person, server: Played) -> None:
    server.welcome(message(1), message(2))
    server.send(message(2), message(1), message(3), message(3))
    await shows(alice.page, "n1", "n2", "n3")


@pytest.mark.parametrize("sign", [message(4), {"type": "seq", "seq": 4, "epoch": EPOCH}], ids=["message", "seq"])
async def test_a_gap_makes_it_ask_for_what_is_missing(alice: Person, server: Played, sign: dict[str, Any]) -> None:
    server.welcome(message(1), message(2))
    server.send(sign, message(5))
    assert (await server.asked(2))["since"] == 2
    server.welcome(message(3), message(4), message(5))
    await shows(alice.page, "n1", "n2", "n3", "n4", "n5")
    assert len(server.dials) == 1


async def test_where_it_cannot_go_on_it_begins_anew(alice: Person, server: Played) -> None:
    server.welcome(message(1), message(2))
    await shows(alice.page, "n1", "n2")
    await server.close(4501)
    await alice.page.clock.run_for(500)
    await server.dialled(2)
    server.welcome(message(7, "restored"), recovered=False, epoch="another")
    assert await server.asked(2) == {"since": 2, "epoch": EPOCH}
    await shows(alice.page, "restored")
    server.send(message(8))
    await shows(alice.page, "restored", "n8")
    await server.close(4501)
    await alice.page.clock.run_for(1000)
    await server.dialled(3)
    server.welcome(epoch="another")
    assert await server.asked(3) == {"since": 8, "epoch": "another"}


async def test_what_has_other_words_or_none_is_shown_so(alice: Person, server: Played) -> None:
    server.welcome(message(1), message(2), message(3))
    change = {"type": "change", "by": BOB, "at": "2026-01-02T03:04:05.678Z"}
    server.send({**change, "seq": 4, "about": 1, "data": {"body": "better"}})
    server.send({**change, "seq": 5, "about": 2, "retracted": True})
    await shows(alice.page, "better", "Message removed", "n3")
    await expect(alice.page.locator(".gone .author")).to_be_empty()


async def test_a_quote_follows_what_it_quotes_whoever_changes_it(alice: Person, server: Played) -> None:
    answer, strange = message(3), message(4)
    answer["data"] = {"body": "yes", "reply": 1}
    strange["data"] = {"body": None, "reply": "x"}
    server.welcome(message(1, "tea\n\nor   coffee?"), message(2), answer, strange)
    quote = alice.page.locator("#messages .quote")
    await expect(quote).to_have_text("In reply to Bob tea or coffee?")
    change = {"type": "change", "about": 1, "by": {"key": "carols", "name": "Carol", "guest": False}}
    change["at"] = "2026-01-02T03:04:05.678Z"
    server.send({**change, "seq": 5, "data": {"body": "tea?"}})
    await expect(quote).to_have_text("In reply to Bob tea?")
    server.send({**change, "seq": 6, "retracted": True})
    await expect(quote).to_have_text("In reply to Message removed")
    await shows(alice.page, "Message removed", "n2", "yes", "")


async def test_a_long_history_leaves_the_page_light(alice: Person, server: Played) -> None:
    server.welcome()
    server.send(*[message(seq) for seq in range(1, 701)])
    await expect(alice.stored("n700")).to_be_visible()
    await expect(alice.page.locator("#messages > li")).to_have_count(500)


@pytest.mark.parametrize("told", [True, False], ids=["the browser has told", "the browser has not told yet"])
async def test_who_reads_the_past_is_not_dragged_away(alice: Person, server: Played, told: bool) -> None:
    if not told:
        await alice.page.evaluate("addEventListener('scroll', (event) => event.stopImmediatePropagation(), true)")
    server.welcome()
    server.send(*[message(seq) for seq in range(1, 101)])
    await expect(alice.stored("n100")).to_be_in_viewport()
    await alice.page.clock.run_for(50)  # the picture has been drawn
    await alice.stored("n50").scroll_into_view_if_needed()
    before = await alice.stored("n50").bounding_box()
    server.send(*[message(seq) for seq in range(101, 111)])
    await expect(alice.stored("n110")).to_be_attached()
    await alice.page.clock.run_for(50)
    assert await alice.stored("n50").bounding_box() == before
    await alice.page.get_by_role("button", name="10 new").click()
    await expect(alice.stored("n110")).to_be_in_viewport()
    await expect(alice.page.locator("#latest")).to_be_hidden()
