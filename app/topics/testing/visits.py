"""What a test has in hand: tabs, and topics in them. Whoever waits does the database's work meanwhile."""

import asyncio
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Final, Self

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from topics.people import COOKIE, guest_of, remember_guest
from topics.testing.visitor import Frame, Visitor
from topics.testing.world import World, release
from topics.topic import Topic as Handle

SECONDS: Final = 1.0  # for what a test waits for
ANSWER_SECONDS: Final = 5.0  # for what the server always answers

_open: list[World] = []  # the one that the open visits share


class Topic:
    """A topic as one tab follows it.

    `joined` is the server's frame, with `seq`, `recovered`, `members`, …; `history` its events.
    """

    def __init__(self, tab: "AnyTab", name: str) -> None:
        self.name = name
        self._tab = tab

    def __repr__(self) -> str:
        return f"<{self.name} in {self._tab!r}>"

    @property
    def joined(self) -> Frame:
        return self._tab.visitor.joined[self.name]

    @property
    def history(self) -> list[Frame]:
        return list(self.joined["events"])

    @property
    def position(self) -> tuple[str, int]:
        """(epoch, seq) of the last event that has come."""
        return self._tab.visitor.positions[self.name]

    def send(self, data: Any, *, id: str | None = None) -> Any:
        """Returns the ack. Raises Refused with the code and the sentence of the error."""
        return self._tab.send(self.name, data, id=id)

    def signal(self, data: Any) -> Any:
        return self._tab.signal(self.name, data)

    def read(self, seq: int) -> Any:
        """Returns how much is unread by now."""
        return self._tab.do(self._tab.visitor.read(self.name, seq), ANSWER_SECONDS, "answer to `read`")

    def next(self, type: str = "event", *, seconds: float | None = None) -> Any:
        """The first frame of that type that has not been returned yet. AssertionError where none comes."""
        return self._tab.next(type, topic=self.name, seconds=seconds)

    def nothing(self, *types: str) -> Any:
        """AssertionError where something has come that was not returned: of these types, or but presence of any."""
        return self._tab.nothing(*types, topic=self.name)

    def leave(self) -> Any:
        return self._tab.do(self._tab.visitor.leave(self.name), ANSWER_SECONDS, f"`left` of {self.name}")


class AnyTab:
    """One tab of somebody's browser. `you` is who the server takes her for, `code` by which it has closed the tab."""

    def __init__(self, user: Any, token: str | None) -> None:
        self._user, self._token = user, token
        self.visitor: Visitor
        self._world: World

    def __repr__(self) -> str:
        return f"<tab of {self.you.get('name')}>"

    @property
    def you(self) -> Frame:
        return self.visitor.you

    @property
    def code(self) -> int | None:
        return self.visitor.code

    def join(self, topic: "Handle | str", *, since: int | None = None, epoch: str | None = None) -> Any:
        """Takes a handle, or a name. Raises Refused, with the code no_such_topic where she may not read it."""
        name = topic.name if isinstance(topic, Handle) else topic

        async def joined() -> Topic:
            await self.visitor.join(name, since, epoch)
            return Topic(self, name)

        return self.do(joined(), ANSWER_SECONDS, f"`joined` of {name}")

    def send(self, topic: "Handle | str", data: Any, *, id: str | None = None) -> Any:
        """The topic need not be joined. Returns the ack; raises Refused."""
        name = topic.name if isinstance(topic, Handle) else topic
        return self.do(self.visitor.send(name, data, id), ANSWER_SECONDS, f"answer of {name}")

    def signal(self, topic: "Handle | str", data: Any) -> Any:
        name = topic.name if isinstance(topic, Handle) else topic
        return self.do(self.visitor.signal(name, data), ANSWER_SECONDS, f"answer of {name}")

    def next(self, type: str = "event", *, topic: str | None = None, seconds: float | None = None) -> Any:
        """The first frame of that type, of any topic unless one is given."""
        what = f"`{type}`" + (f" of {topic}" if topic else "")
        return self.do(self.visitor.next(type, topic), SECONDS if seconds is None else seconds, what)

    def nothing(self, *types: str, topic: str | None = None) -> Any:
        return self.do(self.visitor.nothing(types, topic), ANSWER_SECONDS, "pong")

    def cut(self) -> Any:
        """The line is dead, without a word. What happens now is missed until `back`."""
        return self.do(self.visitor.go(1006), ANSWER_SECONDS, "end")

    def back(self) -> Any:
        """Dials again, and goes on in each topic where it was: `next` has what was missed.

        Where that cannot be continued, `next("joined")` has what the server shows instead. Raises Refused where she
        may not read a topic any more.
        """
        return self.do(self.visitor.come(), ANSWER_SECONDS, "welcome")

    # --- Waiting -------------------------------------------------------------------------------------

    def do(self, coroutine: Coroutine[Any, Any, Any], seconds: float, what: str) -> Any:
        raise NotImplementedError

    def _missing(self, what: str, seconds: float) -> Callable[[], str]:
        return lambda: f"No {what} within {seconds:g} s for {self.you.get('name')}. {self.visitor.heard()}"

    def _begin(self) -> None:
        self.visitor = Visitor(headers_of(self._user, self._token))
        if not _open:
            _open.append(World())
        self._world = _open[0]
        self._world.enter()

    def _end(self) -> None:
        if self._world.leave():
            _open.clear()
        release()


class Tab(AnyTab):
    """For tests that are not async."""

    def do(self, coroutine: Coroutine[Any, Any, Any], seconds: float, what: str) -> Any:
        return self._world.wait(coroutine, seconds, self._missing(what, seconds))

    def __enter__(self) -> Self:
        if in_a_loop():
            raise RuntimeError("This test is async: write `async with avisit(…) as tab`, and await what it does.")
        self._begin()
        try:
            self.do(self.visitor.come(), ANSWER_SECONDS, "welcome")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.do(self.visitor.go(1001), ANSWER_SECONDS, "end")
        finally:
            self._end()


class AsyncTab(AnyTab):
    """For async tests: all that waits, of tabs and of their topics, is to be awaited."""

    async def do(self, coroutine: Coroutine[Any, Any, Any], seconds: float, what: str) -> Any:
        return await self._world.await_(coroutine, seconds, self._missing(what, seconds))

    async def __aenter__(self) -> Self:
        await sync_to_async(self._begin)()
        try:
            await self.do(self.visitor.come(), ANSWER_SECONDS, "welcome")
        except BaseException:
            await sync_to_async(self._end)()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.do(self.visitor.go(1001), ANSWER_SECONDS, "end")
        finally:
            await sync_to_async(self._end)()


def visit(user: Any = None, token: str | None = None) -> Tab:
    """`with visit(user=alice) as tab:` A tab of a user who has logged in, or of a guest.

    `token` is sent as `Authorization: Bearer`.
    """
    return Tab(user, token)


def avisit(user: Any = None, token: str | None = None) -> AsyncTab:
    """`async with avisit(user=alice) as tab: votes = await tab.join("votes/lunch")`"""
    return AsyncTab(user, token)


def headers_of(user: Any, token: str | None) -> list[tuple[bytes, bytes]]:
    """As a browser that has seen a page, or a program with a token, sends them."""
    if token is not None:
        return [(b"authorization", f"Bearer {token}".encode())]
    if user is None:
        response = HttpResponse()
        remember_guest(response, guest_of(None))
        name, value = COOKIE, response.cookies[COOKIE].value
    else:
        browser = Client()
        browser.force_login(user)
        name, value = settings.SESSION_COOKIE_NAME, browser.cookies[settings.SESSION_COOKIE_NAME].value
    return [(b"cookie", f"{name}={value}".encode())]


def in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
