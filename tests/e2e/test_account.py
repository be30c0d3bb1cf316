"""One browser, several accounts: what Alice has written is said by nobody else, and no tab keeps her name."""

import pytest
from playwright.async_api import WebSocketRoute, expect

from browser import Arrive, Person
from client import new_room
from servers.stack import Stack
from visitor import room_page

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Sockets:
    """Those of one page, which may be cut off while the pages themselves come through."""

    def __init__(self) -> None:
        self.cut_off = False
        self._open: list[WebSocketRoute] = []

    async def watch(self, person: Person) -> None:
        await person.page.route_web_socket("**/ws/", self._dial)

    async def _dial(self, socket: WebSocketRoute) -> None:
        if self.cut_off:
            await socket.close(code=1011)
        else:
            socket.connect_to_server()
            self._open.append(socket)

    async def cut(self) -> None:
        self.cut_off = True
        for socket in self._open:
            await socket.close(code=1011)
        self._open.clear()


class Account:
    def __init__(self, stack: Stack, name: str) -> None:
        self.name = new_room(name)
        self.password = stack.make_user(self.name)

    async def log_in(self, tab: Person, room: str) -> None:
        await tab.page.goto(f"{tab.base}/accounts/login/?next={room_page(room)}")
        await tab.page.get_by_label("Name").fill(self.name)
        await tab.page.get_by_label("Password").fill(self.password)
        await tab.page.get_by_role("button", name="Log in").click()
        await expect(tab.page.get_by_test_id("you")).to_contain_text(self.name)


async def log_out(tab: Person) -> None:
    await tab.page.get_by_role("button", name="Log out").click()
    await tab.page.wait_for_url(tab.base + "/")


async def test_what_alice_has_not_sent_waits_for_her(stack: Stack, arrive: Arrive) -> None:
    room, alice, bob = new_room(), Account(stack, "alice"), Account(stack, "bob")
    tab, carol, sockets = await arrive(stack.base_url), await arrive(stack.base_url), Sockets()
    await sockets.watch(tab)
    await carol.enter(room)
    await alice.log_in(tab, room)
    await tab.is_live()
    await sockets.cut()
    await tab.write("Alice's")
    await expect(tab.pending("Alice's")).to_be_visible()
    sockets.cut_off = False  # from the next page on; this one has not dialled again
    await log_out(tab)
    await tab.enter(room)
    await tab.say("a guest's")
    await bob.log_in(tab, room)
    await tab.is_live()
    await tab.say("Bob's")
    await carol.hears("Bob's")
    assert await carol.everything() == ["a guest's", "Bob's"]
    await log_out(tab)
    await alice.log_in(tab, room)
    await carol.hears("Alice's")
    assert await carol.everything() == ["a guest's", "Bob's", "Alice's"]
    await expect(carol.stored("Alice's").locator(".author")).to_have_text(alice.name)


async def test_a_log_out_in_one_tab_ends_the_other_ones_socket(stack: Stack, arrive: Arrive) -> None:
    room, alice = new_room(), Account(stack, "alice")
    tab, carol = await arrive(stack.base_url), await arrive(stack.base_url)
    await alice.log_in(tab, room)
    await tab.is_live()
    await carol.enter(room)
    other = Person(await tab.page.context.new_page(), stack.base_url)
    await other.page.goto(stack.base_url)
    await log_out(other)
    await tab.state_is("closed")
    await expect(tab.page.get_by_test_id("connection")).to_contain_text("not logged in")
    await tab.write("from beyond")
    await expect(tab.pending("from beyond")).to_be_visible()
    await expect(carol.page.get_by_test_id("count")).to_have_text("1")
    await carol.say("she has gone")
    assert await carol.everything() == ["she has gone"]


async def test_a_tab_that_was_away_while_alice_logged_out_comes_back_as_who_is_there_now(
    stack: Stack, arrive: Arrive
) -> None:
    room, alice = new_room(), Account(stack, "alice")
    tab, carol, sockets = await arrive(stack.base_url), await arrive(stack.base_url), Sockets()
    await sockets.watch(tab)
    await carol.enter(room)
    await alice.log_in(tab, room)
    await tab.is_live()
    await sockets.cut()
    await tab.write("Alice's")
    other = Person(await tab.page.context.new_page(), stack.base_url)
    await other.page.goto(stack.base_url)
    await log_out(other)
    sockets.cut_off = False
    await expect(tab.page.get_by_test_id("you")).not_to_contain_text(alice.name)
    await expect(tab.page.get_by_text("here now, so the page has started over")).to_be_visible()
    await tab.is_live()
    await tab.say("a guest's")
    await carol.hears("a guest's")
    assert await carol.everything() == ["a guest's"]
