"""The past of a room in a real browser, and what one does to one's own words."""

import asyncio

import pytest
from playwright.async_api import Route, expect

from browser import Arrive, Person
from client import new_room
from servers.stack import Stack
from visitor import Visitor, room_page

pytestmark = pytest.mark.asyncio(loop_scope="session")

FILL = """
from rooms.topics import RoomTopic
from topics import Person
room = RoomTopic(room=%(room)r)
for number in range(1, %(count)d + 1):
    room.append({"body": f"n{number}"}, by=Person("guest:%(who)s", "Bob", True))
"""
# And no longer on the way, which takes some pictures: as far up in this one as in the one before.
AT_THE_TOP = """() => {
  const { scrollHeight, clientHeight, scrollTop } = document.querySelector("#history");
  const before = globalThis.place;
  globalThis.place = scrollTop;
  return scrollTop === before && scrollHeight - clientHeight + scrollTop < 2;
}"""
# In the second picture from now: what was added by now has been put right in the first.
PLACE = """item => new Promise((told) => requestAnimationFrame(() => requestAnimationFrame(() => {
  told(item.querySelector(".body").getBoundingClientRect().top);
})))"""


def filled(stack: Stack, count: int, who: str = "bob") -> str:
    room = new_room()
    stack.manage("shell", "-c", FILL % {"room": room, "count": count, "who": who})
    return room


async def scroll_up(person: Person, pixels: int = 10_000) -> None:
    box = await person.page.get_by_test_id("history").bounding_box()
    assert box
    await person.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await person.page.mouse.wheel(0, -pixels)


async def test_on_a_slow_line_alice_scrolls_back_to_where_it_began_and_what_she_reads_stays_in_place(
    stack: Stack, arrive: Arrive
) -> None:
    room, alice, bob = filled(stack, 230), await arrive(stack.base_url), await arrive(stack.base_url)
    held, asked = asyncio.Event(), 0

    async def slow(route: Route) -> None:
        nonlocal asked
        asked += 1
        await held.wait()
        await route.continue_()

    await alice.page.route("**/topics/room/**", slow)
    await alice.enter(room)
    await bob.enter(room)
    await expect(alice.stored("n230")).to_be_in_viewport()
    await scroll_up(alice)
    await expect(alice.page.locator("#older")).to_have_text("Loading…")
    await alice.page.wait_for_function(AT_THE_TOP)
    seen = alice.stored("n181")
    before = await seen.evaluate(PLACE)
    await bob.say("meanwhile")
    held.set()
    await expect(alice.stored("n131")).to_be_attached()
    await expect(alice.page.get_by_role("button", name="1 new")).to_be_visible()
    assert await seen.evaluate(PLACE) == before
    for number in (131, 81, 31):
        await expect(alice.stored(f"n{number}")).to_be_attached()
        await alice.stored(f"n{number}").scroll_into_view_if_needed()
        await scroll_up(alice, 50)
    await expect(alice.stored("n1")).to_be_attached()
    await expect(alice.page.locator("#older")).to_be_hidden()
    assert await alice.everything() == [*(f"n{number}" for number in range(1, 231)), "meanwhile"]
    assert asked == 4
    assert await alice.page.locator(".day:not([hidden])").count() == 1
    await alice.page.get_by_role("button", name="1 new").click()
    await expect(alice.stored("meanwhile")).to_be_in_viewport()
    assert alice.problems == []


async def test_a_line_that_is_cut_is_said_and_the_past_is_asked_for_again(stack: Stack, arrive: Arrive) -> None:
    room, alice = filled(stack, 80), await arrive(stack.base_url)
    await alice.page.route("**/topics/room/**", lambda route: route.abort())
    await alice.enter(room)
    await expect(alice.stored("n80")).to_be_in_viewport()
    await scroll_up(alice)
    await expect(alice.page.get_by_role("link", name="Not loaded. Try again")).to_be_visible()
    await alice.page.unroute("**/topics/room/**")
    await alice.page.get_by_role("link", name="Not loaded. Try again").click()
    await expect(alice.stored("n1")).to_be_attached()


async def test_by_a_link_alice_comes_to_one_message_and_from_there_to_the_others(stack: Stack, arrive: Arrive) -> None:
    room, alice, bob = filled(stack, 200), await arrive(stack.base_url), await arrive(stack.base_url)
    await bob.enter(room)
    await alice.page.goto(f"{stack.base_url}{room_page(room)}?at=60#m60")
    await alice.is_live()
    await expect(alice.stored("n60")).to_be_in_viewport()
    await expect(alice.page.get_by_role("button", name="Latest messages")).to_be_visible()
    await bob.say("live")
    await expect(alice.page.get_by_role("button", name="1 new")).to_be_visible()
    assert "live" not in await alice.everything()
    for number in (134, 184, 200):
        await scroll_up(alice, -10_000)
        await expect(alice.stored(f"n{number}")).to_be_attached()
    await expect(alice.page.locator("#newer")).to_be_hidden()
    assert await alice.everything() == [*(f"n{number}" for number in range(35, 201)), "live"]
    await bob.say("and on")
    await expect(alice.stored("and on")).to_be_attached()
    assert alice.problems == []


async def test_who_answers_from_the_past_is_taken_to_where_people_talk(stack: Stack, arrive: Arrive) -> None:
    room, alice = filled(stack, 200), await arrive(stack.base_url)
    await alice.page.goto(f"{stack.base_url}{room_page(room)}?at=60")
    await alice.is_live()
    await alice.say("about that")
    await expect(alice.stored("n200")).to_be_visible()
    await alice.is_live()
    assert (await alice.everything())[-1] == "about that"
    await alice.page.goto(f"{stack.base_url}{room_page(room)}?at=60")
    await alice.is_live()
    await alice.box.fill("half a sen")
    await alice.page.get_by_role("button", name="Latest messages").click()
    await expect(alice.stored("about that")).to_be_in_viewport()
    await expect(alice.box).to_have_value("half a sen")


async def test_who_comes_back_sees_what_is_new_since_she_left(stack: Stack, arrive: Arrive) -> None:
    room, alice, bob = filled(stack, 3), await arrive(stack.base_url), await arrive(stack.base_url)
    await alice.enter(room)
    await alice.say("bye")
    line = alice.page.get_by_text("New since you left")
    await expect(line).to_have_count(0)
    await alice.page.goto(stack.base_url)
    await bob.enter(room)
    await bob.say("she has gone")
    await bob.say("indeed")
    await alice.enter(room)
    await expect(line).to_have_count(1)
    await expect(alice.page.locator("li", has=line)).to_contain_text("she has gone")
    await alice.page.reload()
    await alice.is_live()
    await expect(line).to_have_count(0)


async def test_links_and_code_are_shown_alike_live_and_after_a_reload(stack: Stack, arrive: Arrive) -> None:
    room, alice, bob = new_room(), await arrive(stack.base_url), await arrive(stack.base_url)
    await alice.enter(room)
    await bob.enter(room)
    await alice.write("see https://example.org/a_(b), and `x < y`")
    shown = bob.page.locator("#messages .body")
    await expect(shown.get_by_role("link")).to_have_attribute("href", "https://example.org/a_(b)")
    await expect(shown.locator("code")).to_have_text("`x < y`")
    live = await shown.inner_html()
    await bob.page.reload()
    await bob.is_live()
    assert await shown.inner_html() == live
    assert bob.problems == []


# --- Own words -------------------------------------------------------------------------------------------


async def test_alice_edits_what_she_has_said_by_keyboard_and_removes_it(stack: Stack, arrive: Arrive) -> None:
    room, alice, bob = new_room(), await arrive(stack.base_url), await arrive(stack.base_url)
    await alice.enter(room)
    await bob.enter(room)
    await alice.say("see you at fvie")
    await alice.box.press("ArrowUp")
    await expect(alice.page.get_by_text("Editing your message")).to_be_visible()
    await expect(alice.box).to_have_value("see you at fvie")
    await alice.write("see you at five")
    await bob.hears("see you at five")
    assert await bob.everything() == ["see you at five"]
    await expect(bob.page.locator("#messages .edited")).to_be_visible()
    await expect(alice.box).to_have_value("")
    await alice.box.press("ArrowUp")
    await alice.box.press("Escape")
    await expect(alice.page.get_by_text("Editing your message")).to_be_hidden()
    await expect(alice.box).to_be_focused()
    await bob.page.reload()
    await bob.is_live()
    await expect(bob.page.locator("#messages .edited")).to_be_visible()
    await expect(bob.page.locator("#messages .change")).to_be_hidden()
    alice.page.once("dialog", lambda dialog: dialog.accept())
    await alice.page.locator("#messages > li").hover()
    await alice.page.get_by_role("link", name="Edit").click()
    await alice.page.get_by_role("button", name="Remove it").click()
    await expect(bob.page.get_by_text("Message removed")).to_be_visible()
    await expect(alice.page.get_by_text("Message removed")).to_be_visible()
    await bob.page.reload()
    assert await bob.everything() == ["Message removed"]
    assert alice.problems == bob.problems == []


async def test_what_she_was_writing_comes_back_after_an_edit(stack: Stack, arrive: Arrive) -> None:
    room, alice = new_room(), await arrive(stack.base_url)
    await alice.enter(room)
    await alice.say("first")
    await alice.box.fill("half a sen")
    await alice.page.locator("#messages > li").hover()
    await alice.page.get_by_role("link", name="Edit").click()
    await alice.write("First")
    await alice.hears("First")
    await expect(alice.box).to_have_value("half a sen")
    assert await alice.everything() == ["First"]


async def test_without_javascript_alice_reads_back_edits_and_removes(stack: Stack, arrive: Arrive) -> None:
    room, alice, bob = (
        filled(stack, 60),
        await arrive(stack.base_url, java_script_enabled=False),
        Visitor(stack.base_url),
    )
    await alice.page.goto(stack.base_url + room_page(room))
    await alice.page.get_by_role("link", name="Earlier messages").click()
    await expect(alice.stored("n1")).to_be_visible()
    await alice.page.get_by_role("link", name="Latest messages").click()
    await alice.box.fill("Helo")
    await alice.page.get_by_role("button", name="Send").click()
    await alice.page.get_by_role("link", name="Edit").click()
    await alice.page.get_by_label("Message").fill("Hello")
    await alice.page.get_by_role("button", name="Save").click()
    await expect(alice.stored("Hello")).to_be_visible()
    assert "Hello" in bob.get(room_page(room)).text
    await alice.page.get_by_role("link", name="Edit").click()
    await alice.page.get_by_role("button", name="Remove the message").click()
    await expect(alice.page.get_by_text("Message removed")).to_be_visible()
