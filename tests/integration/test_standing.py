"""Who may be here no longer hears and says nothing after a second, in every process: in rooms, and in an app's topics.

Alice is logged in, with a socket in both processes, one of each server; bob is logged in and stays. What happens to
her the superuser does on the admin's pages, or somebody in the database, of which no process is told.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime
from time import monotonic

import pytest
import pytest_asyncio

from client import Socket, dial, enter, new_id, new_room
from servers.app import FOREIGN_APP, Image
from servers.postgres import Postgres
from servers.stack import SERVERS, Stack
from visitor import Visitor

AT_ONCE = 1.0  # as promised
IN_TIME = 3.0  # where nobody is told, or can be
SLACK = 20.0  # for a machine that has other things to do


class Account:
    def __init__(self, stack: Stack, name: str, *, staff: bool = False) -> None:
        self.stack, self.name = stack, name
        self.password = stack.make_user(name, staff=staff)
        ((self.key,),) = stack.database.rows("SELECT id FROM auth_user WHERE username = %s", [name])

    async def log_in(self) -> Visitor:
        browser = Visitor(self.stack.base_url)
        form = {"username": self.name, "password": self.password}
        page = await asyncio.to_thread(browser.post, "/accounts/login/", form)
        assert page.status == 302, page.text
        return browser

    async def enter(self, place: "Place", browser: Visitor) -> list[Socket]:
        sockets = [await place.enter(process.ws_url, browser.cookies) for process in self.stack.ws]
        for socket in sockets:
            assert (socket.welcome["you"]["name"], socket.welcome["you"]["guest"]) == (self.name, False)
        return sockets


class Place:
    """A room."""

    def __init__(self) -> None:
        self.name = new_room()

    async def enter(self, base: str, cookies: dict[str, str]) -> Socket:
        return await enter(base, self.name, headers=cookies)

    async def say(self, socket: Socket) -> None:
        """And be heard by the database."""
        await socket.say(f"still here {new_id()}")


class Poll(Place):
    """A topic of a foreign app, on a socket for many of them."""

    def __init__(self) -> None:
        self.name = f"votes/{new_room('poll')}"

    async def enter(self, base: str, cookies: dict[str, str]) -> Socket:
        socket = Socket(await dial(f"{base}/ws/", subprotocols=["topics.v1"], headers=cookies))
        await socket.of_type("welcome")
        await self.join(socket)
        return socket

    async def join(self, socket: Socket) -> None:
        await socket.send({"type": "join", "topic": self.name})
        await socket.of_type("joined")

    async def say(self, socket: Socket) -> None:
        id = new_id()
        await socket.send({"type": "send", "topic": self.name, "id": id, "data": {"option": "pizza"}})
        await socket.until(lambda frame: frame["type"] == "ack" and frame["id"] == id, "the ack of a vote")


class Nowhere(Poll):
    """No topic: the socket follows nothing, and may send all the same."""

    async def join(self, socket: Socket) -> None:
        pass


@pytest.fixture(params=[Place, Poll, Nowhere])
def place(request: pytest.FixtureRequest) -> Place:
    made: Place = request.param()
    return made


@pytest.fixture(scope="module")
def stack(image: Image, postgres: Postgres) -> Iterator[Stack]:
    with Stack(image, postgres, SERVERS, **FOREIGN_APP) as running:
        yield running


@pytest.fixture(scope="module")
def root(stack: Stack) -> Account:
    return Account(stack, "root", staff=True)


@pytest_asyncio.fixture
async def admin(root: Account) -> Visitor:
    return await root.log_in()


@pytest.fixture
def alice(stack: Stack, request: pytest.FixtureRequest) -> Account:
    return Account(stack, new_room("alice"))


@pytest_asyncio.fixture
async def bob(stack: Stack) -> AsyncIterator[Account]:
    yield Account(stack, new_room("bob"))


async def ended(sockets: list[Socket], code: int, reason: str, seconds: float) -> None:
    """They are told why and closed with this code, in time."""
    deadline = monotonic() + seconds + SLACK
    for socket in sockets:
        goodbye = await socket.of_type("goodbye", max(0.1, deadline - monotonic()))
        assert (await socket.closed(), goodbye["reason"]) == (code, reason)


# --- What the site is told of -----------------------------------------------------------------------------


async def test_a_log_out_ends_the_sockets_of_that_log_in_alone(
    stack: Stack, alice: Account, bob: Account, place: Place
) -> None:
    browser, phone = await alice.log_in(), await alice.log_in()
    here, there = await alice.enter(place, browser), await alice.enter(place, phone)
    others = await bob.enter(place, await bob.log_in())
    await asyncio.to_thread(browser.post, "/accounts/logout/", {}, seen_on="/")
    await ended(here, 4401, "login_required", AT_ONCE)
    for socket in (*there, *others):
        await place.say(socket)
        await socket.leave()


async def set_password(admin: Visitor, alice: Account) -> None:
    form = {"usable_password": "true", "password1": "another-Secret-1", "password2": "another-Secret-1"}
    await by_admin(admin, f"/admin/auth/user/{alice.key}/password/", form)


async def deactivate(admin: Visitor, alice: Account) -> None:
    joined = datetime(2026, 1, 2, 3, 4, 5)
    form = {"username": alice.name, "date_joined_0": f"{joined:%Y-%m-%d}", "date_joined_1": f"{joined:%H:%M:%S}"}
    await by_admin(admin, f"/admin/auth/user/{alice.key}/change/", form)  # without is_active


async def delete(admin: Visitor, alice: Account) -> None:
    await by_admin(admin, f"/admin/auth/user/{alice.key}/delete/", {"post": "yes"})


async def by_admin(admin: Visitor, path: str, form: dict[str, str]) -> None:
    page = await asyncio.to_thread(admin.post, path, form)
    assert page.status == 302, re.findall(r"errorlist.*?</ul>", page.text, re.DOTALL)


@pytest.mark.parametrize(
    ("change", "code", "reason"),
    [(set_password, 4401, "login_required"), (deactivate, 4403, "forbidden"), (delete, 4403, "forbidden")],
)
async def test_a_changed_password_and_a_closed_account_end_all_sockets_of_that_person(
    admin: Visitor,
    alice: Account,
    bob: Account,
    change: Callable[[Visitor, Account], Awaitable[None]],
    code: int,
    reason: str,
    place: Place,
) -> None:
    hers = [*await alice.enter(place, await alice.log_in()), *await alice.enter(place, await alice.log_in())]
    others = await bob.enter(place, await bob.log_in())
    await change(admin, alice)
    await ended(hers, code, reason, AT_ONCE)
    for socket in others:
        await place.say(socket)
        await socket.leave()


# --- What nobody is told of -------------------------------------------------------------------------------

BEHIND_BACKS = [
    ("UPDATE auth_user SET is_active = false WHERE id = %s RETURNING 1", 4403),
    ("UPDATE auth_user SET password = 'x' WHERE id = %s RETURNING 1", 4401),
    ("UPDATE django_session SET expire_date = now() WHERE %s > 0 RETURNING 1", 4401),
]


@pytest.mark.parametrize("redis", ["up", "down"])
@pytest.mark.parametrize(("change", "code"), BEHIND_BACKS)
async def test_what_is_changed_in_the_database_is_found(
    stack: Stack, alice: Account, change: str, code: int, redis: str, place: Place
) -> None:
    hers = await alice.enter(place, await alice.log_in())
    if redis == "down":
        stack.redis.kill()
    try:
        stack.database.rows(change, [alice.key])
        await ended(hers, code, "forbidden" if code == 4403 else "login_required", IN_TIME)
    finally:
        if redis == "down":
            stack.redis.start()


async def test_a_log_out_is_found_without_redis(stack: Stack, alice: Account, place: Place) -> None:
    browser = await alice.log_in()
    hers = await alice.enter(place, browser)
    stack.redis.kill()
    try:
        await asyncio.to_thread(browser.post, "/accounts/logout/", {}, seen_on="/")
        await ended(hers, 4401, "login_required", IN_TIME)
    finally:
        stack.redis.start()


async def test_who_has_another_name_comes_back_under_it(stack: Stack, alice: Account, place: Place) -> None:
    browser = await alice.log_in()
    hers = await alice.enter(place, browser)
    stack.database.rows("UPDATE auth_user SET username = %s WHERE id = %s RETURNING 1", [f"{alice.name}-s", alice.key])
    await ended(hers, 4501, "restart", IN_TIME)
    alice.name += "-s"
    for socket in await alice.enter(place, browser):
        await socket.leave()


# --- Rooms ------------------------------------------------------------------------------------------------

DELETED = (
    "WITH gone AS (DELETE FROM topics_entry e USING topics_log l WHERE e.log_id = l.id AND l.name = 'room/' || %s)"
    " DELETE FROM topics_log WHERE name = 'room/' || %s RETURNING 1"
)
RENAMED = "UPDATE topics_log SET name = 'room/' || %s || '-2' WHERE name = 'room/' || %s RETURNING 1"


@pytest.mark.parametrize("change", [DELETED, RENAMED])
async def test_who_listens_in_a_room_that_is_gone_is_told(stack: Stack, change: str) -> None:
    room, other = new_room(), new_room()
    here = [await enter(process.ws_url, room) for process in stack.ws]
    there = [await enter(process.ws_url, other) for process in stack.ws]
    for socket in here:
        await socket.say(new_id())
    assert stack.database.rows(change, [room, room]) == [(1,)]
    await ended(here, 4404, "no_such_room", IN_TIME)
    for socket in there:
        await socket.say(new_id())
        await socket.leave()


async def test_a_guest_who_returns_to_a_room_that_is_gone_does_not_find_it(stack: Stack) -> None:
    room = new_room()
    visitor = Visitor(stack.base_url)
    await asyncio.to_thread(visitor.get, "/")
    async with await enter(stack.ws[0].ws_url, room, headers=visitor.cookies) as guest:
        await guest.say("before")
        stack.database.rows(RENAMED, [room, room])
        await ended([guest], 4404, "no_such_room", IN_TIME)
        back = {"since": 1, "epoch": guest.welcome["epoch"]}
    async with await enter(stack.ws[0].ws_url, room, headers=visitor.cookies, **back) as guest:
        assert guest.welcome["recovered"] is False
        assert guest.bodies() == []
