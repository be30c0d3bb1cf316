"""A moderator, and a nuisance with three tabs and a phone; and bob, who would rather read something else."""

from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Locator, expect

from browser import Arrive, Person
from client import new_room
from servers.stack import Stack
from visitor import room_page

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


async def finds_nothing(person: Person, state: str) -> None:
    found = await Axe().run(person.page)
    assert found.violations_count == 0, f"{state}: {found.generate_report()}"


async def log_in(person: Person, name: str, password: str) -> None:
    page = person.page
    await page.goto(f"{person.base}/accounts/login/")
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_test_id("you")).to_contain_text(name)


async def opens_menu(person: Person, body: str) -> Locator:
    """By the keyboard."""
    more = person.stored(body).get_by_role("link", name="More about this message")
    await more.focus()
    await more.press("Enter")
    box = person.page.get_by_role("dialog")
    await expect(box.get_by_role("heading", name="About this message")).to_be_visible()
    return box


async def closes(person: Person) -> None:
    await person.page.keyboard.press("Escape")
    await expect(person.page.get_by_role("dialog")).to_have_count(0)


async def is_muted(person: Person) -> None:
    """As soon as the process has heard of it."""
    for number in range(100):
        body = f"is anybody there? {number}"
        await person.write(body)
        refused = person.pending(body).filter(has_text="You are muted in this room until")
        await expect(refused.or_(person.stored(body)).first).to_be_visible()
        if await refused.count():
            return
    raise AssertionError("she is not muted")


async def test_a_moderator_and_a_nuisance(stack: Stack, arrive: Arrive) -> None:
    room, base = new_room(), stack.base_url
    alice, eve, phone, bob = await arrive(base), await arrive(base), await arrive(base, **PHONE), await arrive(base)
    name = new_room("eve")
    password = stack.make_user(name)
    owner = new_room("alice")
    await log_in(alice, owner, stack.make_user(owner))
    await alice.enter(room)
    await alice.say("welcome")
    await log_in(eve, name, password)
    await log_in(phone, name, password)
    tabs = [eve, *[Person(await eve.page.context.new_page(), base) for _ in range(2)], phone]
    for person in [*tabs, bob]:
        await person.enter(room)
    await eve.say("buy pills")
    await eve.say("cheap pills")

    # Bob complains, and does not want to see more of it.
    await bob.hears("cheap pills")
    box = await opens_menu(bob, "buy pills")
    await finds_nothing(bob, "the menu of a message")
    await expect(box.get_by_role("button", name="Ban")).to_have_count(0)
    await box.get_by_label("Report it").fill("spam")
    await box.get_by_role("button", name="Report").click()
    await expect(box.get_by_role("status")).to_contain_text("Thank you")
    await closes(bob)
    box = await opens_menu(bob, "cheap pills")
    await box.get_by_role("button", name="Hide this person").click()
    await expect(box.get_by_role("status")).to_be_visible()
    await closes(bob)
    await expect(bob.page.get_by_text("cheap pills")).to_be_hidden()
    await eve.say("pills again")
    hidden = bob.page.locator("li.hushed").last
    await expect(hidden.get_by_text("pills again")).to_be_hidden()
    await hidden.get_by_role("link", name="Show").click()
    await expect(hidden.get_by_text("pills again")).to_be_visible()

    # Alice removes it and mutes her.
    await alice.page.reload()
    await expect(alice.page.get_by_role("link", name="1 report")).to_be_visible()
    box = await opens_menu(alice, "buy pills")
    await finds_nothing(alice, "a moderator's menu")
    await box.get_by_role("button", name="Remove").click()
    await expect(box.get_by_role("status")).to_be_visible()
    await closes(alice)
    for person in [*tabs, bob]:
        await expect(person.page.get_by_text("buy pills")).to_have_count(0)
        await expect(person.stored("Message removed").first).to_be_attached()
    box = await opens_menu(alice, "cheap pills")
    await box.get_by_role("button", name="Mute").click()
    await expect(box.get_by_role("status")).to_be_visible()
    await closes(alice)
    await is_muted(tabs[1])

    # She bans her: all her tabs and her phone are out, and what she is writing is not lost.
    await tabs[2].box.fill("what I was going to say")
    box = await opens_menu(alice, "cheap pills")
    await box.get_by_label("Ban the person").select_option("until it is lifted")
    await box.get_by_label("Reason").last.fill("enough")
    await box.get_by_role("button", name="Ban").click()
    await expect(box.get_by_role("status")).to_be_visible()
    await closes(alice)
    for person in tabs:
        await person.state_is("closed")
        await expect(person.page.get_by_test_id("connection")).to_contain_text("You are banned from this room.")
    await expect(tabs[2].box).to_have_value("what I was going to say")
    await tabs[2].box.press("Enter")
    await expect(tabs[2].pending("what I was going to say")).to_contain_text("You are banned")
    await eve.page.goto(base + room_page(room))
    await expect(eve.page.get_by_text("Reason: enough")).to_be_visible()

    # It is told on the page where order is kept, from where it is lifted.
    await alice.page.get_by_role("link", name="Keep order").or_(alice.page.get_by_role("link", name="1 report")).click()
    await finds_nothing(alice, "keeping order")
    done = alice.page.locator(".actions li")
    await expect(done).to_have_count(3)
    await expect(done.first).to_contain_text(f"{owner}: ban {name}")
    await alice.page.locator(".lift", has_text="is banned").get_by_role("button", name="Lift").click()
    await alice.page.locator(".lift").get_by_role("button", name="Lift").click()
    await eve.enter(room)
    await eve.say("sorry")

    # The room gets another name: who is there goes on there, with what she was writing.
    await eve.box.fill("half a sentence")
    await alice.page.get_by_label("Another name").fill(f"{room}-garden")
    await alice.page.get_by_role("button", name="Rename").click()
    await expect(alice.page.get_by_role("heading", name=f"Keeping order in {room}-garden")).to_be_visible()
    await expect(eve.page).to_have_url(base + room_page(f"{room}-garden"))
    await eve.is_live()
    await expect(eve.box).to_have_value("half a sentence")
    problems = [line for person in [*tabs, alice, bob] for line in person.problems if "403" not in line]
    assert problems == []
