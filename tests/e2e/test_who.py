"""Who is who: two people and an impostor, and nobody's words become another's."""

from typing import Any

import pytest
from playwright.async_api import expect

from browser import Arrive, Person
from client import new_id, new_room
from servers.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="session")

LOOKS = """item => {
  const { color } = getComputedStyle(item.querySelector(".author"));
  return [color, item.querySelector(".mark path").getAttribute("d")];
}"""


async def takes(person: Person, name: str) -> None:
    await person.page.goto(f"{person.base}/name/")
    await person.page.get_by_label("How others see you").fill(name)
    await person.page.get_by_role("main").get_by_role("button", name="Change").click()


async def is_called(person: Person, name: str) -> None:
    await takes(person, name)
    await person.page.wait_for_url(f"{person.base}/")


async def logs_in(person: Person, name: str, password: str) -> None:
    await person.page.goto(f"{person.base}/accounts/login/")
    await person.page.get_by_label("Name").fill(name)
    await person.page.get_by_label("Password").fill(password)
    await person.page.get_by_role("button", name="Log in").click()
    await person.page.wait_for_url(f"{person.base}/")


async def looks(viewer: Person, body: str) -> Any:
    return await viewer.stored(body).evaluate(LOOKS)


async def test_two_people_and_an_impostor(stack: Stack, arrive: Arrive) -> None:
    room, name = new_room(), f"alice{new_id()}"
    password = stack.make_user(name)
    alice, bob, mallory = [await arrive(stack.base_url) for _ in range(3)]
    await logs_in(alice, name, password)
    await is_called(bob, "Bob")
    for forged in (name.upper(), name.replace("a", "а", 1), f"{name} ✓"):
        await takes(mallory, forged)
        await expect(mallory.page.get_by_text("Choose another name, or log in.")).to_be_visible()
    await is_called(mallory, "Bob")
    for person in (alice, bob, mallory):
        await person.enter(room)
    await bob.say("I am Bob")
    await mallory.say("No, I am")
    await alice.say("Who is who?")
    await bob.say("The first one")
    for person, own in ((alice, 1), (bob, 2), (mallory, 1)):
        await person.hears("The first one")
        await expect(person.page.locator("#messages .mine")).to_have_count(own)
        assert await looks(person, "I am Bob") != await looks(person, "No, I am")
        assert await looks(person, "I am Bob") == await looks(person, "The first one")
    live = {body: await looks(alice, body) for body in ("I am Bob", "No, I am")}
    await alice.page.reload()
    await alice.is_live()
    assert {body: await looks(alice, body) for body in live} == live, "they look the same live and on a new page"
    await expect(mallory.page.locator("#messages > li", has_text="I am Bob").locator(".change")).to_be_hidden()
    assert alice.problems == bob.problems == []


async def test_after_a_rename_own_messages_stay_ones_own_in_every_tab(stack: Stack, arrive: Arrive) -> None:
    room, alice = new_room(), await arrive(stack.base_url)
    other = Person(await alice.page.context.new_page(), stack.base_url)
    await is_called(alice, "Alice")
    await alice.enter(room)
    await other.enter(room)
    await alice.say("before")
    await is_called(alice, "Alicia")
    await alice.enter(room)
    await alice.say("after")
    await other.hears("after")
    await other.say("from the other tab")
    await alice.hears("from the other tab")
    for tab in (alice, other):
        await expect(tab.page.locator("#messages .mine")).to_have_count(3)
