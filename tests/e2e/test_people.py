"""Alice makes an account in a browser, and leaves: who has the page open sees her name go."""

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from browser import Arrive, Person
from client import new_room
from servers.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="session")

PASSWORD = "correct horse battery"


async def finds_nothing(person: Person, state: str) -> None:
    found = await Axe().run(person.page)
    assert found.violations_count == 0, f"{state}: {found.generate_report()}"


async def test_alice_comes_and_goes(stack: Stack, arrive: Arrive) -> None:
    room, name = new_room(), new_room("alice")
    alice, bob = await arrive(stack.base_url), await arrive(stack.base_url)
    page = alice.page
    await page.goto(f"{alice.base}/accounts/login/")
    await finds_nothing(alice, "the log-in")
    await page.get_by_role("link", name="Forgot your password?").click()
    await finds_nothing(alice, "the form for a letter")
    await page.goto(f"{alice.base}/accounts/reset/sent/")
    await finds_nothing(alice, "a letter is on its way")
    await page.goto(f"{alice.base}/accounts/sign-up/")
    await page.get_by_label("Username").fill("admin")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_label("Password confirmation").fill(PASSWORD)
    await page.get_by_role("button", name="Make the account").click()
    await expect(page.get_by_text("Choose another name")).to_be_visible()
    await finds_nothing(alice, "a name that is taken")
    await page.get_by_label("Username").fill(name)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_label("Password confirmation").fill(PASSWORD)
    await page.get_by_role("button", name="Make the account").click()
    await expect(page.get_by_test_id("you")).to_contain_text(name)
    await alice.enter(room)
    await alice.say("first")
    await alice.say("last")
    await bob.enter(room)
    await expect(bob.page.locator("#messages .author").first).to_have_text(name)
    await page.get_by_test_id("you").click()
    await finds_nothing(alice, "her own page")
    for link in ("Change your password", "Give an address", "Delete your account"):
        await page.get_by_role("link", name=link).click()
        await finds_nothing(alice, link)
        await page.go_back()
    await page.get_by_role("link", name="Delete your account").click()
    await page.get_by_label("Your password").fill(PASSWORD)
    await page.get_by_role("button", name="Delete it").click()
    await expect(page.get_by_role("heading", name="Your account is deleted")).to_be_visible()
    await expect(bob.page.locator("#messages .author")).to_have_text(["Former member", "Former member"], timeout=60_000)
    await expect(bob.stored("first")).to_be_visible()
