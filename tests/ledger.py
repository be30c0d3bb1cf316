"""Members who write and read through any fault, and the account that is settled at the end.

A member does what the protocol asks of a client: it says each thing under one id until that is acknowledged,
remembers the last number it has seen, and comes back with it.
"""

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake

import contract
from client import Frame, dial, new_id, room_path
from servers.postgres import Database
from visitor import Visitor

PATIENCE = 60.0  # seconds until a member gives up on an ack
RETRY = 5.0  # seconds without an ack after which it says the same again
SILENCE = 10.0  # seconds after which it asks, by ping, whether anybody is there, and gives up after as many


class Member:
    def __init__(self, base: str, room: str, *, batch: bool = False) -> None:
        self.base, self.room, self.batch = base, room, batch
        self.cookies: dict[str, str] = {}  # by which it is the same person on every connection
        self.arrived = False
        self.epoch = ""
        self.seen: list[tuple[int, str]] = []
        self.acked: dict[str, int] = {}
        self.said: set[str] = set()
        self.wrong: list[str] = []  # what a server must never do
        self.dials = 0
        self._answers: dict[str, asyncio.Future[Frame | None]] = {}
        self._connection: ClientConnection | None = None
        self._news = asyncio.Event()
        self._life = asyncio.create_task(self._live())

    @property
    def last(self) -> int:
        return self.seen[-1][0] if self.seen else 0

    async def say(self, body: str) -> int:
        """Say it as often as it takes; its number. TimeoutError after PATIENCE."""
        id = new_id()
        self.said.add(id)
        async with asyncio.timeout(PATIENCE):
            while True:
                answer = await self._ask(self._words(id, body))
                if answer is None:
                    continue
                if answer["type"] == "ack":
                    self.acked[id] = answer["seq"]
                    return int(answer["seq"])
                await asyncio.sleep(answer["retry_after_ms"] / 1000)

    async def arrives(self) -> None:
        """Wait for the first welcome."""
        while not self.arrived:
            await self._hears_something()

    async def reads(self, seq: int) -> None:
        """Wait until it has read that number."""
        while self.last < seq:
            await self._hears_something()

    async def leave(self) -> None:
        self._life.cancel()
        with suppress(asyncio.CancelledError):
            await self._life

    async def _hears_something(self) -> None:
        self._news.clear()
        await self._news.wait()

    async def _ask(self, frame: Frame) -> Frame | None:
        answer: asyncio.Future[Frame | None] = asyncio.get_running_loop().create_future()
        self._answers[frame["id"]] = answer
        try:
            async with asyncio.timeout(RETRY):
                if self._connection:
                    with suppress(ConnectionClosed):
                        if protocol := contract.protocol_of(self._connection):
                            contract.said(protocol, frame)
                        await self._connection.send(json.dumps(frame))
                        return await answer
                await asyncio.sleep(0.05)
        except TimeoutError:
            pass
        finally:
            del self._answers[frame["id"]]
        return None

    async def _live(self) -> None:
        while True:
            with suppress(OSError, InvalidHandshake, ConnectionClosed, TimeoutError, EOFError):
                await self._visit()
            await asyncio.sleep(random.uniform(0.02, 0.3))

    async def _visit(self) -> None:
        if not self.cookies:
            self.cookies = await asyncio.to_thread(cookies_of, self.base)
        self.dials += 1
        connection = await self._dial()
        try:
            while True:
                decoded = json.loads(await self._next(connection))
                for frame in map(self._read_as, decoded if isinstance(decoded, list) else [decoded]):
                    self._hear(frame)
                    if frame["type"] == "seq" and frame["seq"] > self.last:
                        return  # told of something it has not got: come back and ask for it
                self._connection = connection
        finally:
            self._connection = None
            connection.transport.abort()
            for answer in self._answers.values():
                self._give(answer, None)

    # What a protocol words in its own way.

    async def _dial(self) -> ClientConnection:
        query: dict[str, object] = {"since": self.last, "epoch": self.epoch} if self.arrived else {}
        return await dial(self.base + room_path(self.room, **query), batch=self.batch, headers=self.cookies)

    def _words(self, id: str, body: str) -> Frame:
        return {"type": "message", "id": id, "body": body}

    def _read_as(self, frame: Frame) -> Frame:
        """The frame as rooms.v1 has it."""
        return frame

    async def _next(self, connection: ClientConnection) -> str | bytes:
        """The next frame; TimeoutError where even a ping gets no answer."""
        for ping in (True, False):
            with suppress(TimeoutError):
                async with asyncio.timeout(SILENCE):
                    return await connection.recv()
            if ping:
                await connection.send('{"type":"ping"}')
        raise TimeoutError

    def _hear(self, frame: Frame) -> None:
        if frame["type"] == "welcome":
            if self.arrived and not frame["recovered"]:
                self.wrong.append(f"no resume from {self.last} of {self.epoch}: {frame['seq']} of {frame['epoch']}")
            self.epoch, self.arrived = frame["epoch"], True
            self._news.set()
        for message in frame["messages"] if frame["type"] == "welcome" else [frame]:
            if message["type"] == "message":
                self._read(message)
        if frame["type"] in ("ack", "error") and (answer := self._answers.get(frame.get("id", ""))):
            self._give(answer, frame)
        if frame["type"] == "error" and frame["code"] not in ("unavailable", "rate_limited"):
            self.wrong.append(f"refused: {frame}")

    def _give(self, answer: asyncio.Future[Frame | None], frame: Frame | None) -> None:
        if not answer.done():
            answer.set_result(frame)

    def _read(self, message: Frame) -> None:
        if message["seq"] != self.last + 1:
            self.wrong.append(f"{message['seq']} came after {self.last}")
        if message["seq"] > self.last:
            self.seen.append((message["seq"], message["id"]))
            self._news.set()


@dataclass
class Account:
    """What came of it."""

    acked: int
    lost: int  # acked, but not in the log under the acked number
    doubled: int  # ids that are in the log again
    holes: int
    unsaid: int  # in the log, but nobody's words
    unread: int  # members who did not read exactly what the log holds, in its order
    wrong: list[str]
    dials: int
    heal_seconds: float = 0.0

    @property
    def faultless(self) -> bool:
        return not (self.lost or self.doubled or self.holes or self.unsaid or self.unread or self.wrong)


def cookies_of(base: str) -> dict[str, str]:
    """What the site gives to somebody who has looked at a page."""
    visitor = Visitor(base.replace("ws", "http", 1))
    visitor.get("/")
    return visitor.cookies


@dataclass
class Conversation:
    """Members of one room or topic, and how its log is read: (seq, id, …) in order."""

    members: Sequence[Member]
    log: Callable[[], list[tuple[int, str, str]]]


async def keep(
    bases: list[str], room: str, database: Database, fault: Callable[[], Awaitable[None]], *, calm: int = 20
) -> Account:
    """The same for one room, with a member for each base."""
    members = [Member(base, room, batch=number % 2 == 1) for number, base in enumerate(bases)]
    (account,) = await keep_all([Conversation(members, lambda: database.messages(room))], fault, calm=calm)
    return account


async def keep_all(
    conversations: Sequence[Conversation], fault: Callable[[], Awaitable[None]], *, calm: int = 20
) -> list[Account]:
    """Let the members write and read while the fault happens; settle each conversation when all is well again.

    Before and after the fault everybody says `calm` things. Nobody speaks before all have arrived: a welcome shows
    the latest messages only, and who comes late would not have read everything.
    """
    members = [member for conversation in conversations for member in conversation.members]
    over = asyncio.Event()
    try:
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(member.arrives() for member in members))
        await asyncio.gather(*(talk(member, calm) for member in members))
        chatter = [asyncio.create_task(talk_until(over, member)) for member in members]
        await fault()
        began = time.monotonic()
        await asyncio.gather(*(member.say("Is everybody well?") for member in members))
        healed = time.monotonic() - began
        await asyncio.gather(*(talk(member, calm) for member in members))
        over.set()
        await asyncio.gather(*chatter)
        await asyncio.gather(*(everybody_read(one.members, last_acked(one.members)) for one in conversations))
    finally:
        for member in members:
            await member.leave()
    accounts = [settle(one.members, await asyncio.to_thread(one.log)) for one in conversations]
    for account in accounts:
        account.heal_seconds = round(healed, 2)
    return accounts


async def talk(member: Member, count: int) -> None:
    for number in range(count):
        await member.say(f"sentence {number}")


async def talk_until(over: asyncio.Event, member: Member) -> None:
    while not over.is_set():
        await member.say("one more")
        await asyncio.sleep(0.02)  # under everybody's message rate


def last_acked(members: Sequence[Member]) -> int:
    return max(seq for member in members for seq in member.acked.values())


async def everybody_read(members: Sequence[Member], last: int) -> None:
    """Who has not read it when time is over is found when accounts are settled."""
    with suppress(TimeoutError):
        async with asyncio.timeout(60):
            await asyncio.gather(*(member.reads(last) for member in members))


def settle(members: Sequence[Member], log: list[tuple[int, str, str]]) -> Account:
    entries = [(seq, id) for seq, id, _ in log]
    numbers = {id: seq for seq, id in entries}
    acked = {id: seq for member in members for id, seq in member.acked.items()}
    said = {id for member in members for id in member.said}
    return Account(
        acked=len(acked),
        lost=sum(numbers.get(id) != seq for id, seq in acked.items()),
        doubled=len(entries) - len(numbers),
        holes=sum(seq != number for number, (seq, _) in enumerate(entries, 1)),
        unsaid=len(numbers.keys() - said),
        unread=sum(member.seen != entries for member in members),
        wrong=[complaint for member in members for complaint in member.wrong][:10],
        dials=sum(member.dials for member in members),
    )
