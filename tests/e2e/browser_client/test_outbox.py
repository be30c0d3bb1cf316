"""What Alice writes is kept, sent in order, and once."""

import re

import pytest
from playwright.async_api import expect

from browser import Person
from played import Played, ack, message, own, shows

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_own_message_waits_for_its_ack_and_lands_in_its_place(alice: Person, server: Played) -> None:
    server.welcome()
    await alice.write("hello")
    sent = await server.hears()
    assert 16 <= len(sent["id"]) <= 64
    await expect(alice.pending("hello")).to_contain_text("sending…")
    server.send(message(1, "before you"), ack(sent, 2))
    await expect(alice.pending("hello")).to_have_count(0)
    server.send(message(2, "hello", sent["id"]), message(3))
    await shows(alice.page, "before you", "hello", "n3")
    await expect(alice.stored("hello")).to_have_class(re.compile(r"\bmine\b"))
    await expect(alice.page.locator("#unsent > li")).to_have_count(0)


async def test_messages_leave_in_order_one_at_a_time(alice: Person, server: Played) -> None:
    server.welcome()
    for body in ("first", "second", "third"):
        await alice.write(body)
    assert (await server.hears())["body"] == "first"
    await expect(alice.pending("second")).to_contain_text("not sent yet")
    for number, body in enumerate(("first", "second", "third"), 1):
        assert (await server.hears(number))["body"] == body
        assert len(server.messages) == number
        server.send(ack(server.messages[-1], number))
    await expect(alice.page.locator("li.pending")).to_have_count(0)


@pytest.mark.parametrize("code", ["rate_limited", "unavailable"])
async def test_what_is_put_off_goes_again_and_is_not_overtaken(alice: Person, server: Played, code: str) -> None:
    server.welcome()
    await alice.write("first")
    await alice.write("second")
    sent = await server.hears()
    server.send({"type": "error", "code": code, "detail": "later", "id": sent["id"], "retry_after_ms": 3000})
    await expect(alice.pending("first")).to_contain_text("not sent yet")
    await alice.page.clock.run_for(2900)
    assert len(server.messages) == 1
    await alice.page.clock.run_for(200)
    assert await server.hears(2) == sent


async def test_what_is_refused_comes_back_into_the_form(alice: Person, server: Played) -> None:
    server.welcome()
    await alice.write("first")
    sent = await server.hears()
    server.send({"type": "error", "code": "bad_frame", "detail": "Not like this.", "id": sent["id"]})
    await expect(alice.pending("first")).to_contain_text("Not like this.")
    await alice.write("second")
    assert (await server.hears(2))["body"] == "second", "it does not hold up the next one"
    await alice.page.get_by_role("button", name="Edit").click()
    await expect(alice.box).to_have_value("first")
    await expect(alice.pending("first")).to_have_count(0)


async def test_after_a_break_the_same_id_goes_again(alice: Person, server: Played) -> None:
    server.welcome()
    await alice.write("hello")
    sent = await server.hears()
    await server.dials[-1].close(code=1011)
    await alice.state_is("waiting")
    await expect(alice.pending("hello")).to_contain_text("not sent yet")
    await alice.page.clock.run_for(500)
    await server.dialled(2)
    server.welcome()
    assert await server.hears(2) == sent


async def test_what_arrived_before_the_break_is_not_sent_again(alice: Person, server: Played) -> None:
    server.welcome()
    await alice.write("hello")
    await alice.write("and this")
    sent = await server.hears()
    await server.close(4501)
    await alice.page.clock.run_for(500)
    await server.dialled(2)
    server.welcome(own(server, 1, sent))
    assert (await server.hears(2))["body"] == "and this"
    await shows(alice.page, "hello")


async def test_unsent_words_survive_a_reload_with_their_ids(alice: Person, server: Played) -> None:
    server.welcome()
    await alice.write("hello")
    await alice.write("and this")
    sent = await server.hears()
    await alice.page.reload()
    await server.dialled(2)
    await expect(alice.page.locator("li.pending .body")).to_have_text(["hello", "and this"])
    server.welcome()
    assert await server.hears(2) == sent


async def test_a_server_that_never_answers_is_left(alice: Person, server: Played) -> None:
    server.welcome()
    await alice.write("hello")
    await server.hears()
    for _ in range(3):
        await alice.page.clock.run_for(9_000)
        server.send({"type": "pong"})
    await server.dialled(2)


@pytest.mark.parametrize(("body", "sentence"), [("  ", "Write something first."), ("🍵" * 4001, "That is 4001")])
async def test_what_cannot_be_said_stays_in_the_form(alice: Person, server: Played, body: str, sentence: str) -> None:
    server.welcome()
    await alice.is_live()
    await alice.write(body)
    await expect(alice.page.get_by_role("alert")).to_contain_text(sentence)
    await expect(alice.box).to_have_value(body)
    await alice.write("🍵" * 4000)
    assert (await server.hears())["body"] == "🍵" * 4000
    await expect(alice.page.get_by_role("alert")).to_be_empty()


async def test_enter_that_ends_a_chinese_word_does_not_send(alice: Person, server: Played) -> None:
    server.welcome()
    await alice.is_live()
    await alice.box.fill("你好")
    await alice.box.dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    await expect(alice.box).to_have_value("你好")
    await alice.box.press("Enter")
    assert (await server.hears())["body"] == "你好"
    assert len(server.messages) == 1
