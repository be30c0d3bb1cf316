"""What axe finds on the room's pages, in each of their states, light and dark."""

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from browser import Arrive, Person
from client import new_room
from servers.stack import Stack
from visitor import room_page

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def finds_nothing(person: Person, state: str) -> None:
    found = await Axe().run(person.page)
    assert found.violations_count == 0, f"{state}: {found.generate_report()}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_in_any_state(stack: Stack, arrive: Arrive, scheme: str) -> None:
    room, alice, bob = new_room(), await arrive(stack.base_url, color_scheme=scheme), await arrive(stack.base_url)
    await bob.enter(room)
    await alice.enter(room)
    await finds_nothing(alice, "an empty room")
    await bob.write("see https://example.org and `code`\n```\nblock\n```")
    await bob.say("wrong")
    await alice.say("mine")
    await bob.box.press("ArrowUp")
    bob.page.once("dialog", lambda dialog: dialog.accept())
    await bob.page.get_by_role("button", name="Remove it").click()
    await expect(alice.page.get_by_text("Message removed")).to_be_visible()
    await finds_nothing(alice, "people talk")
    await alice.box.press("ArrowUp")
    await alice.box.fill("mine, edited")
    await finds_nothing(alice, "she edits")
    await alice.box.press("Enter")
    await expect(alice.page.locator("#messages .edited").last).to_be_visible()
    await alice.page.locator("#messages .mine").hover()
    await finds_nothing(alice, "she points at a message")
    await alice.page.get_by_role("link", name="Reply").last.click()
    await finds_nothing(alice, "she answers")
    await alice.write("answered")
    await expect(alice.page.locator("#messages .quote")).to_be_visible()
    await finds_nothing(alice, "a message answers another one")
    await bob.write(f"@{await alice.page.locator('#you').inner_text()}")
    await expect(alice.page.get_by_text("mentions you").last).to_be_visible()
    await alice.box.press_sequentially("@")
    await expect(alice.page.get_by_role("option").first).to_be_visible()
    await finds_nothing(alice, "she mentions somebody, and is mentioned")
    await alice.box.fill("")
    await alice.page.set_viewport_size({"width": 1400, "height": 800})
    await finds_nothing(alice, "the rooms beside the conversation")
    for query in ("?at=1#m1", "?before=2", "?reply=1#say", "2/", "99/"):
        await alice.page.goto(stack.base_url + room_page(room) + query)
        await finds_nothing(alice, query)
    await alice.enter(room)
    await alice.page.locator(".seek summary").click()
    await finds_nothing(alice, "the field to search by")
    for query in ("search/", "search/?q=mine", "search/?q=nothing", "search/?q=%25"):
        await alice.page.goto(stack.base_url + room_page(room) + query)
        await finds_nothing(alice, query)
    await alice.page.goto(f"{stack.base_url}/search/?q=wrong+mine")
    await finds_nothing(alice, "a search everywhere")
    await bob.write(f"once more, @{await alice.page.locator('#you').inner_text()}")
    await alice.page.goto(stack.base_url)
    await expect(alice.page.locator(".badge.mentions").first).to_be_visible()
    await finds_nothing(alice, "the lobby")
    await alice.page.goto(f"{stack.base_url}/name/")
    await finds_nothing(alice, "the name's form")
