"""A log that answers when the test says so, sockets that take as much as the test says, and a clock to turn."""

import asyncio
import selectors
from collections.abc import Callable, Sequence
from typing import Any

from channels.layers import InMemoryChannelLayer

from realtime.bundle import Bundle
from realtime.closing import Goodbye
from realtime.contract import Follower, Numbered
from realtime.outbox import TooSlow
from realtime.standing import Notice, Verdict

OURS = "ours"  # the installation to which alice's and bob's processes belong


def frame(seq: int) -> str:
    return f"said {seq}"


def said(first: int, last: int) -> list[str]:
    return [frame(seq) for seq in range(first, last + 1)]


class Log:
    """Holds numbers 1 to `last`, or those that are given. While it is `held`, its answers wait to be let go."""

    def __init__(self, last: int = 0) -> None:
        self.seqs = list(range(1, last + 1))
        self.reads: list[int] = []
        self.held: list[asyncio.Future[None]] | None = None
        self.broken: Exception | None = None

    def say(self) -> int:
        self.seqs.append(self.seqs[-1] + 1 if self.seqs else 1)
        return self.seqs[-1]

    def after(self, position: int, limit: int = 1_000) -> list[Numbered]:
        return [Numbered(seq, frame(seq)) for seq in self.seqs if seq > position][:limit]

    async def read(self, room: str, after: int, limit: int) -> list[Numbered]:
        self.reads.append(after)
        page = self.after(after, limit)  # as of when it was asked: what is said while it answers is not in it
        if self.held is not None:
            self.held.append(asyncio.get_running_loop().create_future())
            await self.held[-1]
        if self.broken:
            raise self.broken
        return page

    def hold(self) -> None:
        self.held = []

    async def answer(self) -> None:
        """Lets the oldest reader go that waits."""
        await until(lambda: bool(self.held))
        assert self.held
        self.held.pop(0).set_result(None)
        await settled()

    async def answer_everybody(self) -> None:
        held, self.held = self.held or [], None
        for waiting in held:
            if not waiting.done():
                waiting.set_result(None)
        await settled()


class Permissive:
    """The part of a product by which everybody may stay where they are."""

    def __init__(self, installation: str = OURS) -> None:
        self.installation = installation
        self.verdict = Verdict({}, {})
        self.noticed: list[Notice] = []
        self.judged: list[tuple[list[Follower], bool]] = []

    async def identity(self) -> str:
        return self.installation

    async def notices(self, seconds: float) -> Sequence[Notice]:
        return self.noticed

    def rewrites(self, frame: str) -> bool:
        return frame.startswith("change")

    async def judge(self, followers: Sequence[Follower], doubted: bool) -> Verdict:
        self.judged.append((list(followers), doubted))
        return self.verdict


class Socket:
    """`heard` is what it was told. With `room` frames or more waiting somebody has to `read`."""

    def __init__(self, key: str, room: int = 1_000_000) -> None:
        self.key = key
        self.room = room
        self.heard: list[str] = []
        self.writes = 0
        self.goodbye: Goodbye | None = None
        self._waiting = 0
        self._emptied = asyncio.Event()
        self._slow = False

    def hand(self, bundle: Bundle) -> bool:
        if self._waiting >= self.room:
            return False
        self._waiting += len(bundle.payloads)
        self.offer(bundle)
        return True

    def offer(self, bundle: Bundle) -> None:
        self.writes += 1
        self.heard += [payload.decode() for payload in bundle.payloads]

    @property
    def keeps_up(self) -> bool:
        return self._waiting < self.room

    async def emptied(self) -> None:
        while self._waiting >= self.room:
            self._emptied.clear()
            await self._emptied.wait()
            if self._slow:
                raise TooSlow

    def close_with(self, reason: Goodbye) -> None:
        self.goodbye = self.goodbye or reason

    def put_out(self, room: str, reason: Goodbye) -> None:
        self.goodbye = self.goodbye or reason

    def read(self) -> None:
        self._waiting = 0
        self._emptied.set()

    def exhaust_patience(self) -> None:
        self._slow = True
        self._emptied.set()


class Failing(Socket):
    """Nothing can be handed to it: it raises, and takes the goodbye."""

    def hand(self, bundle: Bundle) -> bool:
        raise RuntimeError("the handler is closed")

    def offer(self, bundle: Bundle) -> None:
        raise RuntimeError("the handler is closed")


class Stubborn(Failing):
    """Not even the goodbye."""

    def close_with(self, reason: Goodbye) -> None:
        super().close_with(reason)
        raise RuntimeError("the handler is closed")


async def settled() -> None:
    """Everything that can go on without time passing has gone on."""
    for _ in range(20):
        await asyncio.sleep(0)


async def until(condition: Callable[[], Any], seconds: float = 30) -> None:
    """Waits for the condition, which must come true."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "it did not happen in time"
        await asyncio.sleep(0.002)


class TurnedClock(asyncio.SelectorEventLoop):
    """A loop whose time passes only when somebody turns its clock."""

    def __init__(self) -> None:
        super().__init__(selectors.SelectSelector())
        self.now = 1_000.0

    def time(self) -> float:
        return self.now


class Layer(InMemoryChannelLayer):
    """A channel layer that can be `down` (raises), `stalled` (never answers) or `lossy` (loses what it is sent)."""

    def __init__(self) -> None:
        super().__init__(capacity=10_000)
        self.down = self.stalled = self.lossy = False
        self.added: list[str] = []
        self.sent: list[dict[str, Any]] = []
        self.refused = 0

    async def _answer(self) -> None:
        if self.stalled:
            await asyncio.get_running_loop().create_future()
        if self.down:
            self.refused += 1
            raise ConnectionError("nobody listens there")

    async def group_add(self, group: str, channel: str) -> None:
        await self._answer()
        self.added.append(group)
        await super().group_add(group, channel)

    async def group_discard(self, group: str, channel: str) -> None:
        await self._answer()
        await super().group_discard(group, channel)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        await self._answer()
        self.sent.append(message)
        if not self.lossy:
            await super().group_send(group, message)

    def members(self, group: str) -> int:
        return len(self.groups.get(group, ()))


def tasks_of(wire: Any) -> list[asyncio.Task[None]]:
    """What a line does by itself: it speaks, and it hears once it has a channel."""
    return [task for task in (wire._task, wire._ear._task) if task is not None]
