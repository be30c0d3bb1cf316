"""A closed room in browsers: alice makes one and invites by a link; bob comes by it, talks, and is removed again."""

import re

import pytest
from playwright.async_api import expect

from browser import Arrive, Person
from client import new_room
from servers.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def signs_up(person: Person, name: str) -> None:
    await person.page.locator("#id_username").fill(name)
    for field in ("#id_password1", "#id_password2"):
        await person.page.locator(field).fill("correct horse battery")
    await person.page.get_by_role("button", name="Make the account").click()


async def test_bob_joins_by_a_link_talks_and_is_told_at_once_when_he_is_removed(stack: Stack, arrive: Arrive) -> None:
    title, alices, bobs = f"Tea at {new_room('five')}", new_room("alice"), new_room("bob")
    alice, bob = await arrive(stack.base_url), await arrive(stack.base_url)
    await alice.page.goto(f"{alice.base}/accounts/sign-up/")
    await signs_up(alice, alices)
    await alice.page.get_by_label("Open a room, or create one").fill(title)
    await alice.page.get_by_label("A new room that is closed").check()
    await alice.page.get_by_role("button", name="Open").click()
    await alice.is_live()
    await expect(alice.page).to_have_title(f"{title} · Rooms")
    await alice.say("Who comes?")
    tab = Person(await alice.page.context.new_page(), alice.base)
    await tab.page.goto(alice.page.url)
    await tab.page.get_by_role("heading", level=1).get_by_role("link", name=title).click()
    await tab.page.get_by_role("button", name="Make a link").click()
    link = await tab.page.get_by_test_id("link").input_value()

    await bob.page.goto(link)
    await expect(bob.page.get_by_text(f"{alices} invites you to this room, which has 1 member.")).to_be_visible()
    await bob.page.get_by_role("main").get_by_role("link", name="Make an account").click()
    await signs_up(bob, bobs)
    await bob.page.get_by_role("button", name="Join").click()
    await bob.is_live()
    await bob.hears("Who comes?")
    await bob.say("I do")
    await alice.hears("I do")

    lobby = Person(await bob.page.context.new_page(), bob.base)
    await lobby.page.goto(lobby.base)
    listed = lobby.page.get_by_role("list", name="Your rooms").get_by_role("link", name=re.compile(re.escape(title)))
    await expect(listed).to_be_visible()
    await alice.page.get_by_test_id("people").get_by_role("link", name=bobs).click()
    await alice.page.get_by_role("main").get_by_role("button", name="Open").click()
    await alice.say("Between you and me")
    with_alice = lobby.page.get_by_role("list", name="Your rooms").get_by_role("link", name=re.compile(alices))
    await expect(with_alice).to_be_visible()

    await tab.page.reload()
    await tab.page.get_by_role("button", name=f"Remove {bobs}").click()
    await bob.state_is("closed")
    await expect(bob.page.get_by_test_id("connection")).to_contain_text("You may not be in this room.")
    await expect(listed).not_to_be_attached()
    await with_alice.click()
    await lobby.hears("Between you and me")
    await expect(lobby.page).to_have_title(f"{alices} · Rooms")
    assert alice.problems == bob.problems == lobby.problems == tab.problems == []
