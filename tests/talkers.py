"""People who talk as fast as they may, and how long it takes until the others hear them."""

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import suppress

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from client import SECONDS, Frame, dial, new_id, room_path

IN_FLIGHT = 24  # messages of one talker that are said and not acknowledged


class Talker:
    """`said` and `heard` are moments by message id, `numbers` what was heard in order."""

    def __init__(self, connection: ClientConnection) -> None:
        self.said: dict[str, float] = {}
        self.heard: dict[str, float] = {}
        self.numbers: list[int] = []
        self.others: list[str] = []  # types of frames that are neither messages nor answers
        self._connection = connection
        self._bodies: dict[str, str] = {}
        self._window = asyncio.Semaphore(IN_FLIGHT)
        self._again: set[asyncio.Task[None]] = set()
        self._listener = asyncio.create_task(self._listen())

    @classmethod
    async def enter(cls, base: str, room: str) -> "Talker":
        talker = cls(await dial(base + room_path(room)))
        while not talker.others:
            await asyncio.sleep(0.01)
        return talker

    async def talk(self, count: int, body: str) -> None:
        """Returns when all of it is acknowledged."""
        for _ in range(count):
            await self._window.acquire()
            id = new_id()
            self._bodies[id] = body
            await self._send(id)
        while self._bodies:
            await asyncio.sleep(0.01)

    async def types(self) -> None:
        await self._connection.send('{"type":"typing"}')

    async def hears(self, kind: str, seconds: float = SECONDS) -> None:
        """A frame that is neither message nor answer."""
        async with asyncio.timeout(seconds):
            while kind not in self.others:
                await asyncio.sleep(0.01)

    async def leave(self) -> None:
        await self._connection.close()
        await self._listener

    async def _send(self, id: str) -> None:
        self.said[id] = time.monotonic()
        await self._connection.send(json.dumps({"type": "message", "id": id, "body": self._bodies[id]}))

    async def _listen(self) -> None:
        with suppress(ConnectionClosed):
            async for raw in self._connection:
                self._hear(json.loads(raw))

    def _hear(self, frame: Frame) -> None:
        if frame["type"] == "message":
            self.heard[frame["id"]] = time.monotonic()
            self.numbers.append(frame["seq"])
        elif frame["type"] == "ack":
            del self._bodies[frame["id"]]
            self._window.release()
        elif frame["type"] == "error":
            task = asyncio.create_task(self._say_again(frame["id"], frame["retry_after_ms"] / 1000))
            self._again.add(task)
            task.add_done_callback(self._again.discard)
        else:
            self.others.append(frame["type"])

    async def _say_again(self, id: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._send(id)


def delays(speaker: Talker, listener: Talker) -> list[float]:
    """Seconds from saying to hearing, the shortest first, of what the listener has heard."""
    return sorted(listener.heard[id] - said for id, said in speaker.said.items() if id in listener.heard)


def percentile(values: Sequence[float], percent: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * percent / 100))]
