"""Alice answers one message of many, and everybody sees which."""

import pytest
from playwright.async_api import Locator, expect

from browser import Arrive, Person
from client import new_room
from servers.line import Line
from servers.stack import Stack
from visitor import room_page

from .test_history import filled

pytestmark = pytest.mark.asyncio(loop_scope="session")


def quote_in(person: Person, body: str) -> Locator:
    return person.stored(body).locator(".quote")


async def answers(person: Person, body: str) -> None:
    """By keyboard, from the message on."""
    await person.stored(body).get_by_role("link", name="Reply").press("Enter")
    await expect(person.box).to_be_focused()


async def test_alice_answers_bob_and_the_quote_says_what_he_says_by_now(site: str, arrive: Arrive) -> None:
    room, alice, bob = new_room(), await arrive(site), await arrive(site)
    await alice.enter(room)
    await bob.enter(room)
    await bob.say("Tea or cofee?")
    await bob.say("And cake?")
    await alice.hears("And cake?")
    await answers(alice, "Tea or cofee?")
    await expect(alice.box).to_have_accessible_description("In reply to " + await name_of(bob) + " Tea or cofee?")
    await alice.write("Tea")
    for person in (alice, bob):
        await expect(quote_in(person, "Tea")).to_have_text(f"In reply to {await name_of(bob)} Tea or cofee?")
    await expect(alice.page.locator("#answering")).to_be_hidden()
    await alice.say("no answer")
    await expect(quote_in(alice, "no answer")).to_have_count(0)
    await bob.stored("Tea or cofee?").get_by_role("link", name="Edit").press("Enter")
    await bob.write("Tea or coffee?")
    for person in (alice, bob):
        await expect(quote_in(person, "Tea")).to_contain_text("Tea or coffee?")
    await bob.stored("Tea or coffee?").first.get_by_role("link", name="Edit").press("Enter")
    bob.page.once("dialog", lambda dialog: dialog.accept())
    await bob.page.get_by_role("button", name="Remove it").click()
    for person in (alice, bob):
        await expect(quote_in(person, "Tea")).to_have_text("In reply to Message removed")
        await person.page.reload()
        await person.is_live()
        await expect(quote_in(person, "Tea")).to_have_text("In reply to Message removed")
    assert alice.problems == bob.problems == []


async def test_escape_or_a_click_makes_no_answer_of_it_and_the_words_stay(site: str, arrive: Arrive) -> None:
    alice = await arrive(site)
    await alice.enter(new_room())
    await alice.say("first")
    bar = alice.page.locator("#answering")
    await alice.box.press_sequentially("half a sen")
    await answers(alice, "first")
    await expect(bar).to_be_visible()
    await alice.box.press("Escape")
    await expect(bar).to_be_hidden()
    await answers(alice, "first")
    await alice.page.get_by_role("link", name="Cancel").click()
    await expect(bar).to_be_hidden()
    await expect(alice.box).to_have_value("half a sen")
    await alice.write("half a sentence")
    await alice.hears("half a sentence")
    await expect(alice.page.locator("#messages .quote")).to_have_count(0)


async def test_a_quote_leads_to_what_it_quotes_also_where_that_is_not_here_yet(stack: Stack, arrive: Arrive) -> None:
    room, alice, bob = filled(stack, 400), await arrive(stack.base_url), await arrive(stack.base_url)
    for seq in (340, 5):
        await alice.page.goto(f"{stack.base_url}{room_page(room)}?at={seq}")
        await alice.is_live()
        await answers(alice, f"n{seq}")
        await alice.write(f"about {seq}")
        await expect(quote_in(alice, f"about {seq}")).to_contain_text(f"n{seq}")
    await bob.enter(room)
    await expect(quote_in(bob, "about 340")).to_have_text("In reply to Bob n340")
    await quote_in(bob, "about 340").click()
    await expect(bob.stored("n340").first).to_be_focused()
    await expect(bob.page.locator("#m340")).to_be_in_viewport()
    assert "?at" not in bob.page.url, "what was missing was loaded"
    await quote_in(bob, "about 5").click()
    await bob.page.wait_for_url("**/?at=5#m5")
    await expect(bob.page.locator("#m5")).to_be_in_viewport()
    assert alice.problems == bob.problems == []


async def test_who_is_there_hears_what_is_quoted_of_a_past_that_is_not_on_the_page(
    stack: Stack, arrive: Arrive
) -> None:
    room, alice, bob = filled(stack, 200), await arrive(stack.base_url), await arrive(stack.base_url)
    await bob.enter(room)
    await alice.page.goto(f"{stack.base_url}{room_page(room)}?reply=2#say")
    await alice.is_live()
    await expect(alice.page.locator("#answering")).to_contain_text("n2")
    await alice.write("about that")
    await expect(quote_in(bob, "about that")).to_have_text("In reply to Bob n2")


async def test_an_answer_survives_a_tunnel_and_a_draft_of_one_a_reload(stack: Stack, arrive: Arrive) -> None:
    async with Line(stack.nginx.port) as line:
        room, alice, bob = new_room(), await arrive(line.base_url), await arrive(stack.base_url)
        await bob.enter(room)
        await bob.say("Are you there?")
        await alice.enter(room)
        await answers(alice, "Are you there?")
        await alice.box.press_sequentially("Yes, I ")
        await alice.page.reload()
        await alice.is_live()
        await expect(alice.page.locator("#answering")).to_contain_text("Are you there?")
        line.down()
        await alice.state_is("waiting")
        await alice.write("Yes, I am")
        await expect(alice.pending("Yes, I am").locator(".quote")).to_contain_text("Are you there?")
        line.up()
        await bob.hears("Yes, I am")
        await expect(quote_in(bob, "Yes, I am")).to_contain_text("Are you there?")
        await expect(quote_in(alice, "Yes, I am")).to_have_count(1)


async def test_without_javascript_alice_answers_by_a_link(stack: Stack, arrive: Arrive) -> None:
    room, alice, bob = new_room(), await arrive(stack.base_url, java_script_enabled=False), await arrive(stack.base_url)
    await bob.enter(room)
    await bob.say("Can you answer this?")
    await alice.page.goto(stack.base_url + room_page(room))
    await alice.page.get_by_role("link", name="Reply").click()
    await expect(alice.page.locator("#answering")).to_contain_text("Can you answer this?")
    await alice.box.fill("Yes.")
    await alice.page.get_by_role("button", name="Send").click()
    await expect(quote_in(alice, "Yes.")).to_contain_text("Can you answer this?")
    await expect(quote_in(bob, "Yes.")).to_contain_text("Can you answer this?")
    await quote_in(alice, "Yes.").click()
    await expect(alice.page.locator("#m1")).to_be_in_viewport()


async def name_of(person: Person) -> str:
    return await person.page.get_by_test_id("you").locator("b").inner_text()
