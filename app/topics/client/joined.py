"""A topic that is followed over one socket, and over all that come after it: each event once and in order."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from topics.client.errors import ClientError, Closed, Refused
from topics.client.events import (
    Ack,
    Event,
    Frame,
    News,
    Person,
    Position,
    Reset,
    Signal,
    event_of,
    person_of,
    presence_of,
    somebody,
)
from topics.client.growing import Growing

if TYPE_CHECKING:
    from topics.client.socket import Socket

MOST_WAITING: Final = 1_000  # events that came and were not taken; the rest is asked for again when these are taken
LOST_FIRST: Final = 100  # waiting, above which signals and presence get lost
JOINS_AGAIN: Final = {"rate_limited", "unavailable"}
ENDS: Final = {"no_such_topic", "too_many_topics", "forbidden"}


class JoinedTopic:
    """Iterate over it: `async for event in votes`, or over everything: `async for news in votes.everything()`.

    `members` are who is there, as far as the server names them, `member_count` how many; `unread` is what the server
    said last of what the person has not read.
    """

    def __init__(self, socket: "Socket", name: str, since: int | None, epoch: str | None) -> None:
        self.name = name
        self.members: dict[str, Person] = {}
        self.member_count = 0
        self.unread: int | None = None
        self._socket = socket
        self._heard = Position(epoch or "", since or 0)
        self._taken = self._heard
        self._has_position = since is not None
        self.asked_over: object = None  # the connection by which it was joined
        self._is_level = False  # `joined` has come; until then what comes is not what follows
        self._missed = False  # something was not kept: it is asked for when what waits has been taken
        self._growing = Growing(self.join_again)
        self._waiting: deque[News] = deque()
        self._news = asyncio.Event()
        self._end: ClientError | None = None
        self._joined: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    # --- Reading -------------------------------------------------------------------------------------

    @property
    def epoch(self) -> str:
        """The log that is followed; empty before its first event."""
        return self._heard.epoch

    @property
    def position(self) -> Position:
        """(epoch, since) of the last event that was taken: keep it to go on from there another time."""
        return self._taken

    async def __aiter__(self) -> AsyncIterator[Event]:
        async for news in self.everything():
            if isinstance(news, Event):
                yield news

    async def everything(self) -> AsyncIterator[News]:
        """Events, what grows, signals, presence, and resets, as they come.

        Ends when the topic is left. Raises Refused, Closed.
        """
        while True:
            while self._waiting:
                news = self._waiting.popleft()
                if isinstance(news, Event):
                    self._taken = Position(news.epoch, news.seq)
                yield news
            if self._end is not None:
                if self._end.code == "left":
                    return
                raise self._end
            if self._missed:
                self._missed = False
                self.join_again()
            self._news.clear()
            await self._news.wait()

    # --- Writing -------------------------------------------------------------------------------------

    async def send(self, data: Any, *, id: str | None = None) -> Ack:
        return await self._socket.send(self.name, data, id=id)

    async def signal(self, data: Any) -> None:
        await self._socket.signal(self.name, data)

    async def read(self, seq: int) -> int:
        """The person has read everything up to that number. Returns how much is unread by now."""
        return await self._socket.read(self.name, seq)

    async def cancel(self, seq: int) -> None:
        """Stops an event that grows; its change follows."""
        await self._socket.cancel(self.name, seq)

    async def leave(self) -> None:
        await self._socket.leave(self.name)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.leave()

    # --- For the socket ------------------------------------------------------------------------------

    def join_frame(self) -> Frame:
        self._is_level = False
        position = {"since": self._heard.since, "epoch": self._heard.epoch} if self._has_position else {}
        return {"type": "join", "topic": self.name, **position}

    def join_again(self) -> None:
        self._is_level = False
        if not self.has_ended:
            self._socket.ask_again_for(self)

    @property
    def has_ended(self) -> bool:
        return self._end is not None

    async def arrived(self) -> None:
        """Returns when it has been joined. Raises Refused, Closed."""
        await self._joined

    def hear(self, frame: Frame) -> None:
        kind = frame["type"]
        if kind == "joined":
            self._hear_joined(frame)
        elif kind == "left" and frame["reason"] != "asked":
            self.end(Refused(frame["reason"], f"The server has put this socket out of {self.name}."))
        elif kind == "unread":
            self.unread = frame["unread"]
        elif kind == "error":
            self._hear_error(frame)
        elif self._is_level:
            self._hear_live(kind, frame)

    def end(self, reason: ClientError) -> None:
        """Nothing more comes. What waits can still be taken."""
        self._end = self._end or reason
        self._growing.lacks_nothing()
        if not self._joined.done():
            self._joined.set_exception(reason)
            self._joined.exception()  # whoever waits for it raises it; where nobody does, nobody has to
        self._news.set()

    def _hear_joined(self, frame: Frame) -> None:
        self._is_level = True
        self._growing.lacks_nothing()
        self.members = {shown["key"]: person_of(shown) for shown in frame["members"]}
        self.member_count = frame["member_count"]
        self.unread = frame.get("unread", self.unread)
        if not frame["recovered"]:
            if self._has_position:
                self._waiting.clear()  # it is replaced, too
                self._put(Reset(frame["epoch"], frame["seq"]))
            self._growing.forget()
            self._heard = Position(frame["epoch"], frame["events"][0]["seq"] - 1 if frame["events"] else frame["seq"])
        self._has_position = True
        self._missed = False
        for event in frame["events"]:
            self._number(event, jumps=True)
        self._heard = Position(frame["epoch"], self._heard.since)
        if not self._joined.done():
            self._joined.set_result(None)

    def _hear_error(self, frame: Frame) -> None:
        """One without an id: of a join, as other frames' have none of these codes where one has joined."""
        if self._is_level:
            return
        if frame["code"] in JOINS_AGAIN:
            asyncio.get_running_loop().call_later(frame.get("retry_after_ms", 1_000) / 1_000, self.join_again)
        elif frame["code"] in ENDS:
            self.end(Refused(frame["code"], frame["detail"]))

    def _hear_live(self, kind: str, frame: Frame) -> None:
        if kind in {"event", "change"}:
            self._number(frame)
        elif kind == "seq":
            is_other = "" != self._heard.epoch != frame["epoch"]
            if not self._missed and (is_other or frame["seq"] > self._heard.since):
                self.join_again()
        elif kind == "more":
            if more := self._growing.more(frame):
                self._offer(more)
        elif kind == "signal":
            self._offer(Signal(somebody(frame["by"]), frame["data"]))
        elif kind == "presence":
            presence = presence_of(frame)
            self.members |= {person.key: person for person in presence.joined}
            for person in presence.left:
                self.members.pop(person.key, None)
            self.member_count = presence.member_count
            self._offer(presence)

    def _number(self, frame: Frame, *, jumps: bool = False) -> None:
        """Takes what has a number, if it is the next one. A hole is asked for again."""
        seq = frame["seq"]
        if seq <= self._heard.since or self._missed:
            return
        if seq > self._heard.since + 1 and not jumps:
            self.join_again()
            return
        if len(self._waiting) >= MOST_WAITING:
            self._missed = True
            return
        self._heard = Position(frame.get("epoch") or self._heard.epoch, seq)
        self._growing.follow(frame)
        self._put(event_of(frame, self._heard.epoch))

    def _offer(self, news: News) -> None:
        if len(self._waiting) < LOST_FIRST:
            self._put(news)

    def _put(self, news: News) -> None:
        self._waiting.append(news)
        self._news.set()


LEFT: Final = Closed("left", "The topic, or the socket, has been left.")
