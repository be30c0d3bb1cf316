"""Who is there, and who is typing."""

import pytest
from playwright.async_api import expect

from browser import Person
from played import BOB, Played, message, typing, until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_members_come_and_go(alice: Person, server: Played) -> None:
    people = alice.page.get_by_role("list", name="Members").locator("li")
    carol = {"key": "carols", "name": "Carol", "guest": True}
    server.welcome(members=[BOB, {"key": server.key, "name": "Alice", "guest": True}], member_count=2)
    await expect(people).to_have_text(["Alice you, guest", "Bob"])
    server.send({"type": "presence", "joined": [carol], "left": [BOB], "member_count": 2})
    await expect(people).to_have_text(["Alice you, guest", "Carol guest"])
    many = [{"key": f"p{number}", "name": f"p{number:03}", "guest": False} for number in range(150)]
    server.send({"type": "presence", "joined": many, "left": [], "member_count": 152})
    await expect(people).to_have_count(101)
    await expect(people.last).to_have_text("and 52 more")
    await expect(alice.page.get_by_test_id("count")).to_have_text("152")


async def test_typing_shows_for_five_seconds_or_until_it_is_said(alice: Person, server: Played) -> None:
    line = alice.page.get_by_test_id("typing")
    server.welcome()
    server.send(typing(BOB))
    await expect(line).to_have_text("Bob is typing…")
    await alice.page.clock.run_for(5_000)
    await expect(line).to_be_empty()
    server.send(typing(BOB), typing({"key": "carols", "name": "Carol", "guest": True}))
    await expect(line).to_have_text("Bob and Carol are typing…")
    server.send(message(1))
    await expect(line).to_have_text("Carol is typing…")


async def test_it_says_that_alice_types_at_most_every_three_seconds(alice: Person, server: Played) -> None:
    server.welcome()
    await alice.is_live()
    for _ in range(10):
        await alice.box.press_sequentially("ab")
        await alice.page.clock.run_for(500)
    await until(lambda: server.typing >= 2)
    assert server.typing == 2
