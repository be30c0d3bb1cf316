"""The bounded queue in front of one socket.

What the socket takes at once is sent at once, without a task; only where its transport has to be waited
for does a task carry on. Whoever puts learns at once whether there was room.
"""

import asyncio
import contextlib
import logging
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

from realtime import metrics
from realtime.limits import EPHEMERAL_BYTES, MAX_FRAME_BYTES, OUTBOX_BYTES, SLOW_SECONDS

logger = logging.getLogger(__name__)

Send = Callable[[dict[str, Any]], Awaitable[None]]


class TooSlow(Exception):
    """The client has not taken anything for too long."""


class Outbox:
    """Frames on their way to one socket, in order.

    `waiting` is in characters, which for the bound is as good as bytes and costs nothing to know.
    `moved` is the loop's time at which the socket last took something.
    """

    __slots__ = ("_batch", "_closing", "_emptied", "_queue", "_send", "_task", "lost", "moved", "waiting")

    def __init__(self, send: Send, batch: bool = False) -> None:
        self._send = send
        self._batch = batch
        self._queue: list[str] = []
        self._closing: int | None = None
        self._task: asyncio.Task[None] | None = None
        self.waiting = 0
        self.moved = 0.0
        self.lost = False  # the client has gone: what is put is dropped
        self._emptied: asyncio.Future[None] | None = None

    def put(self, frame: str, *, always: bool = False) -> bool:
        """Queues a frame that must arrive. False: there was no room, it was not queued.

        `always` is for answers, of which there are never more than a socket may have questions.
        """
        if self.lost or self.closing:
            return True  # it will not be missed, and nobody may wait for room that will never be
        if not always and self.waiting and self.waiting + len(frame) > OUTBOX_BYTES:
            return False
        self._append(frame)
        return True

    def offer(self, frame: str) -> None:
        """Queues a frame that may get lost: only where the socket keeps up."""
        if self.waiting > EPHEMERAL_BYTES:
            metrics.outbox_dropped.inc()
        elif not self.closing:
            self._append(frame)

    async def emptied(self) -> None:
        """Returns when nothing waits any more. Raises TooSlow where nothing moves for SLOW_SECONDS."""
        loop = asyncio.get_running_loop()
        while self.waiting and not self.lost:
            patience = self.moved + SLOW_SECONDS - loop.time()
            if patience <= 0:
                raise TooSlow
            if self._emptied is None:
                self._emptied = loop.create_future()
            await asyncio.wait([self._emptied], timeout=patience)

    def close(self, code: int, last: str | None = None) -> None:
        """Sends what waits, then the last frame, and closes with the code."""
        if not self.closing:
            self._closing = code
            self._append(last or "")

    def cut(self, code: int) -> None:
        """Closes with the code, without what waits: for a client that does not take it anyway."""
        if not self.closing:
            self._closing = code
            self.abandon()
            start(self._close())

    @property
    def closing(self) -> bool:
        return self._closing is not None

    def abandon(self) -> None:
        """Forgets everything: the client has gone, or is not worth waiting for."""
        self.lost = True
        self._queue.clear()
        self._tell_empty()
        if self._task:
            self._task.cancel()

    def _append(self, frame: str) -> None:
        if self.lost:
            return
        if not self.waiting:
            self.moved = asyncio.get_running_loop().time()
        self._queue.append(frame)
        self.waiting += len(frame)
        if self._task is None:
            self._task = start(self._send_all())

    async def _send_all(self) -> None:
        try:
            while self._queue:
                frames, self._queue = self._queue, []
                await (self._send_batched(frames) if self._batch else self._send_plain(frames))
            if self._closing is not None:
                await self._close()
        except Exception as error:  # whatever it is, it is the trouble of this socket only
            if not isinstance(error, (OSError, RuntimeError)):  # how servers say that the client has gone
                logger.exception("a socket can no longer be written to")
            self.lost = True
            self._queue.clear()
        finally:
            self._task = None
            self._tell_empty()

    async def _close(self) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            await self._send({"type": "websocket.close", "code": self._closing})

    def _tell_empty(self) -> None:
        if self._emptied is not None:
            if not self._emptied.done():
                self._emptied.set_result(None)
            self._emptied = None

    async def _send_plain(self, frames: list[str]) -> None:
        for frame in frames:
            if frame:
                await self._send({"type": "websocket.send", "text": frame})
            self._sent(len(frame))

    async def _send_batched(self, frames: list[str]) -> None:
        for batch in batches([frame for frame in frames if frame]):
            await self._send({"type": "websocket.send", "text": f"[{','.join(batch)}]"})
            self._sent(sum(map(len, batch)))

    def _sent(self, characters: int) -> None:
        self.waiting = max(0, self.waiting - characters)
        self.moved = asyncio.get_running_loop().time()


def batches(frames: list[str]) -> Generator[list[str], None, None]:
    """Runs of frames, each of which fits one WebSocket frame as an array."""
    batch: list[str] = []
    size = 2
    for frame in frames:
        length = len(frame.encode()) + 1
        if batch and size + length > MAX_FRAME_BYTES:
            yield batch
            batch, size = [], 2
        batch.append(frame)
        size += length
    if batch:
        yield batch


def start(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
    """Runs the coroutine here and now until it has to wait; only then does it cost a task, which is returned."""
    try:
        awaited = coroutine.send(None)
    except StopIteration:
        return None
    return asyncio.get_running_loop().create_task(_continued(coroutine, awaited))


@types.coroutine
def _continued(coroutine: Coroutine[Any, Any, None], awaited: Any) -> Generator[Any, Any, None]:
    """The rest of a coroutine that was begun by hand and waits for `awaited`."""
    while True:
        try:
            result = yield awaited
        except BaseException as error:
            resume, value = coroutine.throw, error
        else:
            resume, value = coroutine.send, result  # type: ignore[assignment]
        try:
            awaited = resume(value)
        except StopIteration:
            return
