"""What people do to what was said, beside answering it: they put signs on it, by hand, by keyboard, on a bad train."""

import pytest
from playwright.async_api import Locator, expect

from browser import Arrive, Person
from client import new_room

pytestmark = pytest.mark.asyncio(loop_scope="session")


def sign(person: Person, body: str, emoji: str) -> Locator:
    """The button beneath the message."""
    return person.stored(body).locator(f'.reactions .sign[value="{emoji}"]')


async def puts(person: Person, body: str, emoji: str) -> None:
    """By keyboard, from the message on."""
    await person.stored(body).get_by_role("link", name="React").press("Enter")
    choice = person.page.get_by_role("group", name="React")
    await expect(choice.get_by_role("button").first).to_be_focused()
    await choice.get_by_role("button", name=emoji).press("Enter")
    await expect(choice).to_have_count(0)
    await expect(person.stored(body).get_by_role("link", name="React")).to_be_focused()


async def name_of(person: Person) -> str:
    return await person.page.locator("#you").inner_text()


async def test_alice_and_bob_put_signs_on_a_message_and_each_sees_whose_they_are(site: str, arrive: Arrive) -> None:
    room, alice, bob = new_room(), await arrive(site), await arrive(site)
    await alice.enter(room)
    await bob.enter(room)
    await bob.say("Tea?")
    await alice.hears("Tea?")
    await puts(alice, "Tea?", "👍")
    first, second = await name_of(alice), await name_of(bob)
    await expect(sign(bob, "Tea?", "👍")).to_have_accessible_name(f"👍 {first}")
    await expect(sign(bob, "Tea?", "👍")).to_have_attribute("aria-pressed", "false")
    await sign(bob, "Tea?", "👍").click()
    for person in (alice, bob):
        await expect(sign(person, "Tea?", "👍")).to_have_text("👍 2")
        await expect(sign(person, "Tea?", "👍")).to_have_accessible_name(f"👍 {first}, {second}")
        await expect(sign(person, "Tea?", "👍")).to_have_attribute("aria-pressed", "true")
    await alice.stored("Tea?").get_by_role("link", name="React").press("Enter")
    await expect(alice.page.get_by_role("group", name="React").get_by_role("button", name="👍")).to_have_attribute(
        "aria-pressed", "true"
    )
    await alice.page.keyboard.press("Escape")
    await expect(alice.stored("Tea?").get_by_role("link", name="React")).to_be_focused()
    await sign(alice, "Tea?", "👍").press("Space")
    await expect(sign(bob, "Tea?", "👍")).to_have_accessible_name(f"👍 {second}")
    await alice.page.reload()
    await alice.is_live()
    await expect(sign(alice, "Tea?", "👍")).to_have_attribute("aria-pressed", "false")
    await sign(alice, "Tea?", "👍").click()
    await expect(sign(bob, "Tea?", "👍")).to_have_text("👍 2")
    await sign(alice, "Tea?", "👍").click()
    await sign(bob, "Tea?", "👍").click()
    await expect(sign(alice, "Tea?", "👍")).to_have_count(0)
    assert alice.problems == bob.problems == []
