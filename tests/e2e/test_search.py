"""Somebody looks for what was said: without JavaScript, and beside a conversation that goes on."""

import pytest
from playwright.async_api import expect

from browser import Arrive
from client import new_room
from servers.stack import Stack
from visitor import Visitor, room_page

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_without_javascript_alice_searches_a_room_and_then_all_and_goes_to_the_message(
    stack: Stack, arrive: Arrive
) -> None:
    room, other = new_room(), new_room()
    word, bob = f"w{room[-8:]}".replace("-", ""), Visitor(stack.base_url)
    for number in range(1, 61):
        said = f"we meet in the {word} 茶馆 <here>" if number in {2, 30} else f"n{number}"
        assert bob.post(room_page(room), {"body": said}).status in {303, 429}
    assert bob.post(room_page(other), {"body": f"another {word}"}).status in {303, 429}
    alice = await arrive(stack.base_url, java_script_enabled=False)
    await alice.page.goto(stack.base_url + room_page(room))
    await alice.page.get_by_text("Search", exact=True).first.click()
    await alice.page.get_by_label("Search in this room").fill(f"{word.upper()} 茶")
    await alice.page.get_by_label("Search in this room").press("Enter")
    found = alice.page.get_by_role("list", name="Messages found").get_by_role("listitem")
    await expect(found).to_have_count(2)
    await expect(found.last.locator("mark")).to_have_text([word, "茶"])
    await expect(found.last.locator(".body")).to_have_text(f"we meet in the {word} 茶馆 <here>")
    await found.last.get_by_role("link").click()
    await expect(alice.page.locator("#m2")).to_be_in_viewport()
    await alice.page.goto(stack.base_url)
    await alice.page.get_by_label("Search in all rooms").fill(word)
    await alice.page.get_by_label("Search in all rooms").press("Enter")
    await expect(found).to_have_count(3)
    await expect(found.first).to_contain_text(other)
    await alice.page.get_by_label("Search in all rooms").fill("?!")
    await alice.page.get_by_role("button", name="Search").click()
    await expect(alice.page.get_by_text("There is no letter or digit in that")).to_be_visible()
    assert alice.problems == [problem for problem in alice.problems if "422" in problem]


async def test_alice_searches_while_bob_talks(stack: Stack, arrive: Arrive) -> None:
    room, alice, bob = new_room(), await arrive(stack.base_url), await arrive(stack.base_url)
    await bob.enter(room)
    await alice.enter(room)
    await bob.say("the kettle is on")
    await alice.hears("the kettle is on")
    await alice.page.locator(".seek summary").click()
    await alice.page.get_by_label("Search in this room").fill("kettle")
    await alice.page.get_by_label("Search in this room").press("Enter")
    await expect(alice.page.locator("mark")).to_have_text(["kettle"])
    await alice.page.get_by_role("link", name="Back to the room").click()
    await alice.is_live()
    await bob.say("tea is ready")
    await alice.hears("tea is ready")
