"""What Alice is writing waits for her, and a tab with unsent words is not closed without a question."""

import pytest
from playwright.async_api import Dialog, expect

from browser import Arrive, Person
from client import new_room
from played import until
from servers.line import Line
from servers.stack import Stack
from visitor import room_page

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def types(person: Person, words: str) -> None:
    """Key by key: a browser asks nothing of who has not touched the page."""
    await person.box.press_sequentially(words)


async def closes(person: Person, *, asked: bool) -> None:
    """Closes the tab. Where she is asked she stays, else it is gone."""
    questions: list[Dialog] = []
    person.page.once("dialog", lambda question: questions.append(question))
    await person.page.close(run_before_unload=True)
    await until(lambda: bool(questions) or person.page.is_closed())
    assert [question.type for question in questions] == ["beforeunload"] * asked
    for question in questions:
        await question.dismiss()
    assert person.page.is_closed() is not asked


async def log_in(tab: Person, name: str, password: str, room: str) -> None:
    await tab.page.goto(f"{tab.base}/accounts/login/?next={room_page(room)}")
    await tab.page.get_by_label("Name").fill(name)
    await tab.page.get_by_label("Password").fill(password)
    await tab.page.get_by_role("button", name="Log in").click()
    await expect(tab.page.get_by_test_id("you")).to_contain_text(name)


# --- Drafts ----------------------------------------------------------------------------------------------


async def test_a_draft_waits_in_its_room_over_a_reload_another_name_and_other_pages(site: str, arrive: Arrive) -> None:
    room, other, alice = new_room(), new_room(), await arrive(site)
    await alice.enter(room)
    await types(alice, "half a sen")
    await alice.page.reload()
    await expect(alice.box).to_have_value("half a sen")
    await alice.page.get_by_test_id("you").click()
    await alice.page.get_by_label("Your name").fill("Alice the Second")
    await alice.page.get_by_role("button", name="Change").click()
    await expect(alice.page.get_by_test_id("you")).to_contain_text("Alice the Second")
    await expect(alice.box).to_have_value("half a sen")
    await alice.page.get_by_role("link", name="Rooms", exact=True).click()
    await alice.page.get_by_label("Open a room").fill(other)
    await alice.page.get_by_role("button", name="Open").click()
    await alice.is_live()
    await expect(alice.box).to_have_value("")
    await types(alice, "elsewhere")
    await alice.enter(room)
    await types(alice, "tence")
    await alice.box.press("Enter")
    await alice.hears("half a sentence")
    await alice.page.reload()
    await alice.is_live()
    await expect(alice.box).to_have_value("")
    await alice.enter(other)
    await expect(alice.box).to_have_value("elsewhere")
    assert alice.problems == []


async def test_an_edit_that_is_not_done_waits_too_and_what_was_written_before_it(site: str, arrive: Arrive) -> None:
    alice = await arrive(site)
    await alice.enter(new_room())
    await alice.say("see you at fvie")
    await types(alice, "half a sen")
    await alice.page.locator("#messages > li").hover()
    await alice.page.get_by_role("link", name="Edit").click()
    await alice.box.fill("see you at fi")
    await alice.page.reload()
    await alice.is_live()
    await expect(alice.page.get_by_text("Editing your message")).to_be_visible()
    await expect(alice.box).to_have_value("see you at fi")
    await alice.write("see you at five")
    await alice.hears("see you at five")
    assert await alice.everything() == ["see you at five"]
    await expect(alice.box).to_have_value("half a sen")


async def test_a_draft_is_shown_to_nobody_else_and_waits_for_who_wrote_it(stack: Stack, arrive: Arrive) -> None:
    room, tab, alice, bob = new_room(), await arrive(stack.base_url), new_room("alice"), new_room("bob")
    passwords = {name: stack.make_user(name) for name in (alice, bob)}
    await log_in(tab, alice, passwords[alice], room)
    await types(tab, "for my eyes only")
    await tab.page.get_by_role("button", name="Log out").click()
    await tab.page.wait_for_url(tab.base + "/")
    await tab.enter(room)
    await expect(tab.box).to_have_value("")
    await log_in(tab, bob, passwords[bob], room)
    await tab.is_live()
    await expect(tab.box).to_have_value("")
    await types(tab, "Bob's own")
    await tab.page.get_by_role("button", name="Log out").click()
    await tab.page.wait_for_url(tab.base + "/")
    await log_in(tab, alice, passwords[alice], room)
    await expect(tab.box).to_have_value("for my eyes only")


# --- Closing the tab -------------------------------------------------------------------------------------


async def test_whoever_closes_a_tab_with_words_in_the_box_is_asked(site: str, arrive: Arrive) -> None:
    alice = await arrive(site)
    await alice.enter(new_room())
    await types(alice, "half a sen")
    await closes(alice, asked=True)
    await expect(alice.box).to_have_value("half a sen")
    await alice.box.press("Enter")
    await alice.hears("half a sen")
    await types(alice, " ")
    await closes(alice, asked=False)


async def test_whoever_closes_a_tab_with_an_edit_that_is_not_done_is_asked(site: str, arrive: Arrive) -> None:
    alice = await arrive(site)
    await alice.enter(new_room())
    await types(alice, "wrong")
    await alice.box.press("Enter")
    await alice.hears("wrong")
    await alice.box.press("ArrowUp")
    await types(alice, "er")
    await closes(alice, asked=True)
    await alice.box.press("Escape")
    await closes(alice, asked=False)


async def test_whoever_closes_a_tab_is_asked_until_what_she_has_said_is_stored(stack: Stack, arrive: Arrive) -> None:
    async with Line(stack.nginx.port) as line:
        alice, bob, room = await arrive(line.base_url), await arrive(stack.base_url), new_room()
        await alice.enter(room)
        await bob.enter(room)
        line.down()
        await alice.state_is("waiting")
        await types(alice, "I go into a tunnel")
        await alice.box.press("Enter")
        await expect(alice.pending("I go into a tunnel")).to_be_visible()
        await closes(alice, asked=True)
        line.up()
        await bob.hears("I go into a tunnel")
        await expect(alice.page.locator("li.pending")).to_have_count(0)
        await closes(alice, asked=False)


async def test_on_the_way_to_another_page_of_the_site_nobody_is_asked(site: str, arrive: Arrive) -> None:
    alice, questions = await arrive(site), list[Dialog]()
    room = new_room()
    await alice.enter(room)
    await types(alice, "half a sen")
    alice.page.once("dialog", lambda question: questions.append(question))
    await alice.page.get_by_role("link", name="Rooms", exact=True).click()
    await expect(alice.page.get_by_role("heading", name="Rooms", exact=True)).to_be_visible()
    assert questions == []
    await alice.enter(room)
    await expect(alice.box).to_have_value("half a sen")
    assert alice.problems == []


# --- Without a network -----------------------------------------------------------------------------------


async def test_without_a_network_alice_does_not_dial_and_with_it_again_at_once(site: str, arrive: Arrive) -> None:
    alice, bob, room, dials = await arrive(site), await arrive(site), new_room(), list[str]()
    alice.page.on("websocket", lambda socket: dials.append(socket.url))
    await alice.page.add_init_script("Math.random = () => 0.999")  # every other wait is a long one
    await alice.enter(room)
    await bob.enter(room)
    await alice.page.context.set_offline(True)
    await expect(alice.page.get_by_test_id("connection")).to_contain_text("You are offline")
    await expect(alice.page.get_by_role("button", name="Try now")).to_be_hidden()
    await alice.write("in the tunnel")
    for event in ("visibilitychange", "pageshow"):
        await alice.page.evaluate("kind => document.dispatchEvent(new Event(kind, { bubbles: true }))", event)
    await expect(alice.pending("in the tunnel")).to_contain_text("not sent yet")
    assert len(dials) == 1
    await alice.page.context.set_offline(False)
    await bob.hears("in the tunnel")
    await alice.is_live()
    assert len(dials) == 2


async def test_where_no_socket_comes_through_alice_is_back_with_the_network_as_well(
    stack: Stack, arrive: Arrive
) -> None:
    async with Line(stack.nginx.port) as line:
        line.carries_sockets = False
        alice, bob, room = await arrive(line.base_url), await arrive(stack.base_url), new_room()
        await alice.page.add_init_script("Math.random = () => 0.05")
        await alice.page.goto(alice.base + room_page(room))
        await bob.enter(room)
        connection = alice.page.get_by_test_id("connection")
        await expect(connection).to_contain_text("Live, without WebSocket")
        await alice.page.context.set_offline(True)
        await expect(connection).to_contain_text("You are offline")
        await alice.write("in the tunnel")
        await expect(alice.pending("in the tunnel")).to_contain_text("not sent yet")
        await alice.page.context.set_offline(False)
        await bob.hears("in the tunnel")
        await expect(connection).to_contain_text("Live, without WebSocket")
