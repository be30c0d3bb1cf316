"""A room's page in a real browser."""

import asyncio

import pytest
from playwright.async_api import expect

from browser import Arrive, Person
from client import new_id, new_room
from servers.stack import Stack
from visitor import room_page

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONE = {"viewport": {"width": 360, "height": 640}, "is_mobile": True, "has_touch": True}


async def test_the_history_is_there_after_a_reload(stack: Stack, arrive: Arrive) -> None:
    alice = await arrive(stack.base_url)
    await alice.enter(new_room())
    for body in ("one", "two", "three"):
        await alice.say(body)
    await alice.page.reload()
    await alice.is_live()
    assert await alice.everything() == ["one", "two", "three"]
    assert await alice.page.locator("#messages > li.mine").count() == 3, "she still is who she was"
    assert alice.problems == []


async def test_alice_in_tokyo_reads_her_own_clock_also_after_a_reload(stack: Stack, arrive: Arrive) -> None:
    alice = await arrive(stack.base_url, timezone_id="Asia/Tokyo")
    await alice.enter(new_room())
    await alice.say("good morning")
    time = alice.page.locator("#messages .time")
    said = await time.inner_text()
    here = """(time) => [undefined, "UTC"].map((timeZone) =>
        new Date(time.dateTime).toLocaleTimeString([], { timeZone, hour: "2-digit", minute: "2-digit" }))"""
    hers, utc = await time.evaluate(here)
    assert said == hers != utc
    await alice.page.reload()
    await expect(time).to_have_text(said)


async def test_own_messages_are_marked_and_others_are_not(stack: Stack, arrive: Arrive) -> None:
    alice, bob = await arrive(stack.base_url), await arrive(stack.base_url)
    room = new_room()
    await alice.enter(room)
    await bob.enter(room)
    await alice.say("mine")
    await bob.hears("mine")
    assert await alice.page.locator("li.mine").count() == 1
    assert await bob.page.locator("li.mine").count() == 0


async def test_markup_is_shown_as_text(site: str, arrive: Arrive) -> None:
    alice, bob = await arrive(site), await arrive(site)
    room, body = new_room(), "<img src=x onerror=alert(1)><script>alert(2)</script> &lt;b&gt;"
    await alice.enter(room)
    await bob.enter(room)
    await alice.say(body)
    await bob.hears(body)
    await bob.page.reload()
    await bob.hears(body)
    for person in (alice, bob):
        assert await person.page.locator("#messages .body *").count() == 0
        assert person.problems == []


async def test_alice_and_bob_see_who_is_there_and_who_types(stack: Stack, arrive: Arrive) -> None:
    alice, bob = await arrive(stack.base_url), await arrive(stack.base_url)
    room = new_room()
    await alice.enter(room)
    await bob.enter(room)
    for person in (alice, bob):
        await expect(person.page.get_by_test_id("count")).to_have_text("2")
    writing = asyncio.create_task(goes_on_typing(bob))
    await expect(alice.page.get_by_test_id("typing")).to_contain_text(await name_of(bob))
    writing.cancel()
    await asyncio.wait([writing])
    await bob.page.close()
    await expect(alice.page.get_by_test_id("count")).to_have_text("1")


async def goes_on_typing(person: Person) -> None:
    """What others see of it lasts some seconds: a busy browser might look too late."""
    while True:
        await person.box.press("l")
        await asyncio.sleep(0.5)


async def test_a_guest_changes_her_name(stack: Stack, arrive: Arrive) -> None:
    alice, bob = await arrive(stack.base_url), await arrive(stack.base_url)
    room = new_room()
    await alice.enter(room)
    await alice.page.get_by_test_id("you").click()
    await alice.page.get_by_label("Your name").fill("Ålice 爱丽丝")
    await alice.page.get_by_role("button", name="Change").click()
    await expect(alice.page.get_by_test_id("you")).to_contain_text("Ålice 爱丽丝")
    await alice.is_live()
    await bob.enter(room)
    await alice.say("under my name")
    await expect(bob.stored("under my name").locator(".author")).to_have_text("Ålice 爱丽丝")


async def test_alice_logs_in_and_is_called_by_her_accounts_name(stack: Stack, arrive: Arrive) -> None:
    name = new_id()
    password = stack.make_user(name)
    alice = await arrive(stack.base_url)
    room = new_room()
    await alice.enter(room)
    await alice.page.get_by_test_id("you").click()
    await alice.page.get_by_role("link", name="Log in").click()
    await alice.page.get_by_label("Name", exact=True).fill(name)
    await alice.page.get_by_label("Password").fill(password)
    await alice.page.get_by_role("button", name="Log in").click()
    await alice.is_live()
    await alice.say("it is me")
    await expect(alice.stored("it is me").locator(".author")).to_have_text(name)
    await alice.page.get_by_role("button", name="Log out").click()
    await expect(alice.page.get_by_role("heading", name="Rooms", exact=True)).to_be_visible()


async def test_without_javascript_alice_reads_and_writes(stack: Stack, arrive: Arrive) -> None:
    alice, bob = await arrive(stack.base_url, java_script_enabled=False), await arrive(stack.base_url)
    room = new_room()
    await bob.enter(room)
    await bob.say("Can you read this?")
    await alice.page.goto(stack.base_url + room_page(room))
    await expect(alice.stored("Can you read this?")).to_be_visible()
    await alice.box.fill("Yes, and write.")
    await alice.page.get_by_role("button", name="Send").click()
    await expect(alice.stored("Yes, and write.")).to_be_visible()
    await bob.hears("Yes, and write.")


async def test_by_keyboard_alone_alice_opens_a_room_and_talks(stack: Stack, arrive: Arrive) -> None:
    alice = await arrive(stack.base_url)
    await alice.page.goto(stack.base_url)
    await tab_to(alice, "#id_name")
    await alice.page.keyboard.type(new_room("by-keyboard"))
    await alice.page.keyboard.press("Enter")
    await alice.is_live()
    await tab_to(alice, "#id_body")
    await alice.page.keyboard.type("first line")
    await alice.page.keyboard.press("Shift+Enter")
    await alice.page.keyboard.type("second line")
    await alice.page.keyboard.press("Enter")
    await expect(alice.page.locator("li[data-seq] .body")).to_have_text("first line\nsecond line")
    await expect(alice.box).to_be_focused()
    await expect(alice.box).to_have_value("")


@pytest.mark.parametrize("path", ["lobby", "room"])
async def test_on_a_phone_nothing_sticks_out(stack: Stack, arrive: Arrive, path: str) -> None:
    alice = await arrive(stack.base_url, **PHONE)
    await alice.enter(new_room("r" * 40))
    for number in range(30):
        await alice.say(f"{number} " + "long" * 30)
    await expect(alice.box).to_be_in_viewport(ratio=1)
    await expect(alice.page.get_by_role("button", name="Send")).to_be_in_viewport(ratio=1)
    await expect(alice.stored("29 " + "long" * 30)).to_be_in_viewport()
    if path == "lobby":
        await alice.page.goto(stack.base_url)
    widths = "[document.documentElement.scrollWidth, window.innerWidth]"
    inside, window = await alice.page.evaluate(widths)
    assert inside <= window


async def name_of(person: Person) -> str:
    return await person.page.get_by_test_id("you").locator("b").inner_text()


async def tab_to(person: Person, selector: str) -> None:
    """Press Tab until the element has the focus; a person would give up after thirty."""
    for _ in range(30):
        if await person.page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        await person.page.keyboard.press("Tab")
    raise AssertionError(f"{selector} cannot be reached by Tab")
