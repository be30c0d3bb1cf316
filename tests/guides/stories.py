"""What each guide says that one sees, seen. A story ends with the two pages of the guide's picture."""

import asyncio
import re
from collections.abc import Awaitable, Callable

from playwright.async_api import Locator, Page, Route, expect

from browser import SECONDS, Arrive, Person
from guides.checkout import PASSWORD

Story = Callable[[str, Arrive], Awaitable[list[Page]]]
SIZE = {"width": 480, "height": 320}
ANSWERED = "new Promise(then => document.body.addEventListener('htmx:afterRequest', () => then(), { once: true }))"


async def votes(base: str, arrive: Arrive) -> list[Page]:
    alice, bob = await arrive(base, viewport=SIZE), await arrive(base, viewport=SIZE)
    tab = Person(await alice.page.context.new_page(), base)
    for person in (alice, tab, bob):
        await opens(person, "/lunch/")
    await click(alice, "pizza: 0")
    for person in (alice, tab, bob):
        await counts(person.page, 1, 0)
    await click(tab, "pasta: 0")
    await expect(tab.page.get_by_role("status")).to_have_text("You have voted for pizza.")
    await click(bob, "pasta: 0")
    for person in (alice, tab, bob):
        await counts(person.page, 1, 1)
    await alice.page.reload()
    await counts(alice.page, 1, 1)
    assert alice.problems + bob.problems + tab.problems == []
    return [tab.page, bob.page]


async def counts(page: Page, *numbers: int, seconds: float = SECONDS) -> None:
    await expect(page.locator("#lunch b")).to_have_text([str(number) for number in numbers], timeout=seconds * 1000)


async def inbox(base: str, arrive: Arrive) -> list[Page]:
    laptop, phone = await arrive(base, viewport=SIZE), await arrive(base, viewport=SIZE)
    note = "Somebody logged in as alice from 127.0.0.1."
    await opens(laptop, "/inbox/")
    await log_in(laptop)
    notes, unread = laptop.page.locator("#notes li"), laptop.page.locator("#unread")
    await expect(notes.first).to_have_text(note)
    before = await notes.count()
    await expect(unread).to_have_text(str(before))
    await opens(phone, "/inbox/")
    await log_in(phone)
    for page in (laptop.page, phone.page):
        await expect(page.locator("#notes li")).to_have_text([note] * (before + 1))
        await expect(page.locator("#unread")).to_have_text(str(before + 1))
    await click(phone, "Mark all as read")
    for page in (laptop.page, phone.page):
        await expect(page.locator("#unread")).to_have_text("")
    third = await arrive(base)
    await opens(third, "/inbox/")
    await log_in(third)
    for page in (laptop.page, phone.page):
        await expect(page.locator("#unread")).to_have_text("1")
    assert laptop.problems + phone.problems == []
    return [laptop.page, phone.page]


async def cursors(base: str, arrive: Arrive) -> list[Page]:
    alice, bob = await arrive(base, viewport=SIZE), await arrive(base, viewport=SIZE)
    for person in (alice, bob):
        await opens(person, "/board/plan/")
    await points(bob, alice, 60, 40)
    await points(bob, alice, 300, 150)
    await points(alice, bob, 120, 90)
    gone = await arrive(base)
    await opens(gone, "/board/plan/")
    await points(gone, alice, 10, 10)
    await expect(cursors_of(alice)).to_have_count(2)
    await gone.page.close()
    await expect(cursors_of(alice)).to_have_count(1)
    assert alice.problems + bob.problems == []
    return [alice.page, bob.page]


async def points(person: Person, other: Person, x: int, y: int) -> None:
    """There and back until the other one sees it: nobody is told what was pointed at before they had joined."""
    seen = other.page.locator(f"#board span[style*='left: {x}px; top: {y}px']")
    async with asyncio.timeout(SECONDS):
        while not await seen.is_visible():
            for place in (x + 9, x):
                await person.page.locator("#board").hover(position={"x": place, "y": y})
                await person.page.wait_for_timeout(100)


def cursors_of(person: Person) -> Locator:
    return person.page.locator("#board span:visible")


async def orders(base: str, arrive: Arrive) -> list[Page]:
    alice = await arrive(base, viewport=SIZE)
    await opens(alice, "/admin/orders/order/add/")
    await log_in(alice)
    await alice.page.get_by_label("Customer").select_option("alice")
    await save(alice)
    customer = Person(await alice.page.context.new_page(), base)
    await opens(customer, "/orders/1/")
    status = customer.page.locator("#status")
    await expect(status).to_have_text("received")
    for change in ("packed", "on its way"):
        await opens(alice, "/admin/orders/order/1/change/")
        await alice.page.get_by_label("Status").fill(change)
        await save(alice)
        await expect(status).to_have_text(change)
    bob = await arrive(base)
    await opens(bob, "/orders/1/")
    await expect(bob.page).to_have_url(f"{base}/accounts/login/?next=/orders/1/")
    await opens(alice, "/admin/orders/order/1/change/")
    await alice.page.get_by_role("button", name="Save", exact=True).scroll_into_view_if_needed()
    assert customer.problems == []
    return [alice.page, customer.page]


async def save(person: Person) -> None:
    await person.page.get_by_role("button", name="Save", exact=True).click()
    await expect(person.page.locator(".success")).to_be_visible()


async def htmx(base: str, arrive: Arrive) -> list[Page]:
    alice, bob = await arrive(base, viewport=SIZE), await arrive(base, viewport=SIZE)
    for person in (alice, bob):
        await opens(person, "/tasks/")
    field, newest = alice.page.get_by_label("New task"), bob.page.locator("#tasks li").first
    typed = asyncio.Event()

    async def answers_late(route: Route) -> None:
        response = await route.fetch()
        await typed.wait()
        await route.fulfill(response=response)

    await alice.page.route("**/tasks/", answers_late)
    await field.fill("Buy <b>milk</b>")
    await field.press("Enter")
    await expect(newest).to_contain_text("Buy <b>milk</b>")
    answered = asyncio.create_task(alice.page.evaluate(ANSWERED))
    await field.fill("Call Bob")
    typed.set()
    await answered
    await field.press("Enter")
    await expect(newest).to_contain_text("Call Bob")
    await expect(field).to_have_value("")
    await alice.page.unroute("**/tasks/")
    await bob.page.get_by_role("listitem").filter(has_text="milk").get_by_role("button", name="Done").click()
    for person in (alice, bob):
        await expect(person.page.locator("#tasks s")).to_have_text("Buy <b>milk</b>")
        await expect(person.page.locator("#tasks li")).to_have_count(2)
    await alice.page.reload()
    await expect(alice.page.locator("#tasks s")).to_have_text("Buy <b>milk</b>")
    await click(alice, "Undo")
    for person in (alice, bob):
        await expect(person.page.locator("#tasks s")).to_have_count(0)
    await bob.page.get_by_role("button", name="Done").last.click()
    await expect(alice.page.locator("#tasks s")).to_have_count(1)
    assert alice.problems + bob.problems == []
    return [alice.page, bob.page]


async def answers(base: str, arrive: Arrive) -> list[Page]:
    alice = await arrive(base, viewport=SIZE | {"height": 420})
    await opens(alice, "/answers/")
    await log_in(alice)
    tab = Person(await alice.page.context.new_page(), base)
    await asks(alice, "How are you?")
    await opens(tab, "/answers/")
    await grows(tab, beyond=0)
    await grows(alice, beyond=await grows(tab, beyond=0))
    before = await grows(alice, beyond=0)
    await alice.page.reload()
    await grows(alice, beyond=before)
    await click(tab, "Stop")
    for person in (alice, tab):
        await expect(answer(person, "status")).to_have_text("cancelled")
        await expect(answer(person, "text")).to_contain_text("You have asked:")
        await expect(person.page.get_by_role("button", name="Stop")).to_be_hidden()
    assert await answer(alice, "text").inner_text() == await answer(tab, "text").inner_text()
    await asks(tab, "And now?")
    for person in (alice, tab):
        await expect(answer(person, "status")).to_have_text("done", timeout=90_000)
        assert (await answer(person, "text").inner_text()).count("Well …") == 120
    bob = await arrive(base)
    await opens(bob, "/answers/")
    await expect(bob.page).to_have_url(f"{base}/accounts/login/?next=/answers/")
    await asks(alice, "Which one may I stop?")
    for person in (alice, tab):
        await grows(person, beyond=60)
    assert alice.problems + tab.problems == []
    return [alice.page, tab.page]


async def asks(person: Person, question: str) -> None:
    await person.page.get_by_label("Question").fill(question)
    await click(person, "Ask")
    await expect(answer(person, "question")).to_have_text(question)


async def grows(person: Person, *, beyond: int) -> int:
    """How long the answer is, once it is longer than that, and not complete."""
    await expect(answer(person, "text")).to_have_text(re.compile(f".{{{beyond + 1},}}"))
    await expect(answer(person, "status")).to_have_text("growing")
    return len(await answer(person, "text").inner_text())


def answer(person: Person, part: str) -> Locator:
    """Of the latest one."""
    return person.page.locator(f"#answers article:first-child .{part}")


async def opens(person: Person, path: str) -> None:
    await person.page.goto(person.base + path)


async def click(person: Person, name: str) -> None:
    await person.page.get_by_role("main").get_by_role("button", name=name).click()


async def log_in(person: Person) -> None:
    await person.page.locator("[name=username]").fill("alice")
    await person.page.locator("[name=password]").fill(PASSWORD)
    await person.page.get_by_role("button", name="Log in").click()


STORIES: dict[str, Story] = {
    "answers": answers,
    "cursors": cursors,
    "htmx": htmx,
    "inbox": inbox,
    "orders": orders,
    "votes": votes,
}
