"""What is new to alice, on each of her devices: bob talks, and what she has read on one is read on all."""

import re

import pytest
from playwright.async_api import Locator, expect

from browser import Arrive, Person
from client import new_room
from servers.stack import Stack
from visitor import room_page

pytestmark = pytest.mark.asyncio(loop_scope="session")


def listed(person: Person, room: str) -> Locator:
    return person.page.locator(f'.listed[data-topic="room/{room}"]')


async def has_unread(person: Person, room: str, number: int) -> None:
    badge = listed(person, room).locator(".badge.unread")
    if number:
        await expect(badge).to_be_visible()
        await expect(badge.locator(".number")).to_have_text(str(number))
    else:
        await expect(listed(person, room)).to_be_attached()
        await expect(badge).to_be_hidden()


async def on_another_device(person: Person, arrive: Arrive) -> Person:
    return await arrive(person.base, storage_state=await person.page.context.storage_state())


async def looks(person: Person, *, away: bool) -> None:
    """At another tab, or at this one again."""
    hide = f"Object.defineProperty(document, 'hidden', {{ get: () => {str(away).lower()}, configurable: true }})"
    await person.page.evaluate(f"{hide}; document.dispatchEvent(new Event('visibilitychange'))")


async def test_what_alice_reads_on_one_device_is_read_on_the_other(site: str, arrive: Arrive) -> None:
    room, alice, bob = new_room(), await arrive(site), await arrive(site)
    await alice.enter(room)
    await bob.enter(room)
    await bob.say("one")
    await alice.hears("one")
    phone = await on_another_device(alice, arrive)
    await expect(listed(alice, room).and_(alice.page.locator(".own > *"))).to_be_attached()
    for device in (alice, phone):
        await device.page.goto(site)
    await has_unread(phone, room, 0)
    await bob.say("two")
    await bob.say("three")
    for device in (alice, phone):
        await has_unread(device, room, 2)
        await expect(device.page).to_have_title("(2) Rooms")
        await expect(device.page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("^data:image/svg"))
    await phone.page.reload()
    await expect(phone.page).to_have_title("(2) Rooms")
    await listed(alice, room).get_by_role("link").click()
    await alice.hears("three")
    await has_unread(phone, room, 0)
    await expect(phone.page).to_have_title("Rooms")
    await expect(phone.page.locator("link[rel=icon]")).not_to_have_attribute("href", re.compile("^data:"))
    assert alice.problems == phone.problems == bob.problems == []


async def test_a_mention_is_written_by_keyboard_and_counts_apart(stack: Stack, arrive: Arrive) -> None:
    room, alice, bob = new_room(), await arrive(stack.base_url), await arrive(stack.base_url)
    await alice.enter(room)
    await alice.say("begun")
    name = await alice.page.locator("#you").inner_text()
    await bob.enter(room)
    phone = await on_another_device(alice, arrive)
    await phone.page.goto(stack.base_url)
    await has_unread(phone, room, 0)
    await alice.page.goto("about:blank")
    await bob.box.press_sequentially(f"hi @{name[:3].lower()}")
    offered = bob.page.get_by_role("option", name=name)
    await expect(offered).to_be_visible()
    await expect(bob.box).to_have_attribute("aria-activedescendant", "mention-0")
    await bob.box.press("Escape")
    await expect(offered).to_be_hidden()
    await bob.box.press_sequentially(name[3].lower())
    await bob.box.press("ArrowDown")
    await bob.box.press("Enter")
    await expect(bob.box).to_have_value(f"hi @{name} ")
    await expect(bob.box).to_be_focused()
    await bob.box.press("Enter")
    await bob.hears(f"hi @{name}")
    mentions = listed(phone, room).locator(".badge.mentions")
    await expect(mentions.locator(".number")).to_have_text("1")
    await expect(phone.page).to_have_title("(@1) Rooms")
    await bob.box.press("ArrowUp")
    await bob.write("nobody")
    await expect(mentions).to_be_hidden()
    await expect(phone.page).to_have_title("(1) Rooms")
    await bob.say(f"@{name}")
    await listed(phone, room).get_by_role("link").click()
    await expect(phone.stored(f"@{name}").get_by_text("mentions you")).to_be_visible()
    await expect(bob.stored(f"@{name}").get_by_text("mentions you")).to_be_hidden()
    await phone.page.reload()
    await expect(phone.stored(f"@{name}").get_by_text("mentions you")).to_be_visible()
    assert alice.problems == phone.problems == bob.problems == []


async def test_without_javascript_badges_are_those_of_the_load(stack: Stack, arrive: Arrive) -> None:
    room, alice, bob = new_room(), await arrive(stack.base_url), await arrive(stack.base_url, java_script_enabled=False)
    await alice.enter(room)
    await bob.page.goto(stack.base_url)
    await alice.say("one")
    await bob.page.goto(stack.base_url + room_page(room))
    await bob.page.get_by_role("button", name="Mark as read").click()
    await has_unread(bob, room, 0)
    await alice.say("two")
    await bob.page.set_viewport_size({"width": 1400, "height": 800})
    await bob.page.goto(stack.base_url + room_page(room))
    await expect(bob.page).to_have_title(f"(1) {room} · Rooms")
    await expect(bob.page.get_by_role("navigation", name="Rooms")).to_be_visible()
    await has_unread(bob, room, 1)


async def test_the_rooms_stand_beside_the_conversation_and_move_nothing(stack: Stack, arrive: Arrive) -> None:
    room, other = new_room(), new_room()
    alice = await arrive(stack.base_url, viewport={"width": 1400, "height": 800})
    bob = await arrive(stack.base_url)
    await alice.enter(other)
    await alice.say("begun")
    await alice.enter(room)
    await bob.enter(other)
    before = await alice.page.locator("#room").bounding_box()
    await bob.say("over here")
    await has_unread(alice, other, 1)
    await expect(alice.page).to_have_title(f"(1) {room} · Rooms")
    assert await alice.page.locator("#room").bounding_box() == before
    assert await alice.page.evaluate("document.scrollingElement.scrollHeight <= innerHeight")
    await bob.enter(room)
    await looks(alice, away=True)
    await bob.say("and here")
    await has_unread(alice, room, 1)
    await expect(alice.page).to_have_title(f"(2) {room} · Rooms")
    await looks(alice, away=False)
    await has_unread(alice, room, 0)
    await listed(alice, other).get_by_role("link").click()
    await alice.hears("over here")
    await has_unread(alice, other, 0)
    await expect(listed(alice, other).get_by_role("link")).to_have_attribute("aria-current", "page")
    assert alice.problems == bob.problems == []
