"""What is new to alice, on each of her devices: bob talks, and what she has read on one is read on all."""

import re

import pytest
from playwright.async_api import Locator, expect

from browser import Arrive, Person
from client import new_room

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
