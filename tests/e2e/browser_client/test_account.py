"""The account changes under Alice's page: whatever she has written stays hers."""

import pytest
from playwright.async_api import expect

from browser import Person
from played import ALICE, Played, until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def comes_back(alice: Person, server: Played, dial: int) -> None:
    await server.close(4501)
    await alice.page.clock.run_for(500)
    await server.dialled(dial)


async def key_of(alice: Person) -> str:
    key = await alice.page.locator("#room").get_attribute("data-key")
    assert key
    assert len(key) == 16
    return key


async def test_what_is_unsent_does_not_go_out_as_somebody_else(alice: Person, server: Played) -> None:
    hers = await key_of(alice)
    server.welcome(key=hers)
    await alice.write("for my eyes only")
    sent = await server.hears()
    await comes_back(alice, server, 2)
    await alice.box.fill("half a thought")
    server.welcome(key="bobs-bobs-bobs-b", you={"name": "Bob", "guest": False})
    await server.dialled(3)  # by the page that has started over
    assert server.messages == [sent]
    # In this test the page is still hers: the site does not know Bob.
    await expect(alice.pending("for my eyes only")).to_be_visible()
    await expect(alice.box).to_have_value("half a thought")
    server.welcome(key=hers)
    assert await server.hears(2) == sent


async def test_a_page_that_is_for_another_one_each_time_says_so_and_stops(alice: Person, server: Played) -> None:
    server.welcome(key="bobs-bobs-bobs-b")
    await server.dialled(2)
    await alice.write("hello")
    server.welcome(key="carols-carols-ca")
    await alice.state_is("closed")
    await expect(alice.page.get_by_test_id("connection")).to_contain_text("somebody else")
    await expect(alice.pending("hello")).to_contain_text("not sent yet")
    await alice.page.clock.run_for(120_000)
    assert len(server.dials) == 2
    assert server.messages == []


async def test_another_persons_unsent_words_and_draft_are_not_shown(alice: Person, server: Played) -> None:
    room = await alice.page.locator("#room").get_attribute("data-room")
    await alice.page.evaluate(
        """room => {
          const unsent = [{ topic: `room/${room}`, id: "b", data: { body: "bob's" } }];
          sessionStorage.setItem("topics:bobs-bobs-bobs-b", JSON.stringify(unsent));
          sessionStorage.setItem(`draft:bobs-bobs-bobs-b:${room}`, "bob's draft");
        }""",
        room,
    )
    await alice.page.reload()
    await server.dialled(2)
    server.welcome(key=await key_of(alice))
    await alice.write("mine")
    assert (await server.hears())["body"] == "mine"
    await expect(alice.pending("bob's")).to_have_count(0)
    await expect(alice.box).to_have_value("")


async def test_without_cookies_a_guest_is_somebody_new_on_each_socket_and_may_talk(
    alice: Person, server: Played
) -> None:
    await alice.page.evaluate("Object.defineProperty(document, 'cookie', { get: () => '', set: () => {} })")
    server.welcome(key="another-another-")
    await alice.write("hello")
    assert (await server.hears())["body"] == "hello"


async def test_what_a_page_of_the_version_before_has_left_is_sent(alice: Person, server: Played) -> None:
    room = await alice.page.locator("#room").get_attribute("data-room")
    left = f"outbox:{await key_of(alice)}:{room}"
    await alice.page.evaluate('left => sessionStorage.setItem(left, \'[{"id": "a", "body": "hello"}]\')', left)
    await alice.page.reload()
    await server.dialled(2)
    server.welcome()
    assert await server.hears() == {"id": "a", "body": "hello"}


async def test_the_page_says_the_name_that_the_server_says(alice: Person, server: Played) -> None:
    server.welcome(key=await key_of(alice), you={**ALICE, "name": "Alice the Second"})
    await expect(alice.page.get_by_test_id("you")).to_contain_text("Alice the Second")


async def test_who_is_logged_out_or_locked_out_is_told_and_keeps_what_is_unsent(alice: Person, server: Played) -> None:
    server.welcome(key=await key_of(alice))
    await alice.write("hello")
    await server.hears()
    await server.close(4401)
    await alice.state_is("closed")
    await expect(alice.page.get_by_test_id("connection")).to_contain_text("not logged in")
    await expect(alice.pending("hello")).to_contain_text("not sent yet")
    await until(lambda: len(server.messages) == 1)
