"""The bounded queue in front of one socket.

Where the server takes bytes at once, frames are written at once, without a task. A task carries on only where
the transport has to be waited for. The caller learns at once whether there was room.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from realtime import failures, metrics
from realtime.bundle import Bundle, joined
from realtime.eager import start
from realtime.limits import EPHEMERAL_BYTES, OUTBOX_BYTES, SLOW_SECONDS, TIGHT_BYTES, WAITING_BYTES
from realtime.waiting import held, holders

Send = Callable[[dict[str, Any]], Awaitable[None]]
FAILED = 1011  # the close code for what the server could not do
WRITE = "realtime.write"  # the ASGI extension by which a server offers its Write
Write = Callable[[bytes], bool]
"""A server's own way: takes WebSocket frames as bytes without waiting. False: not now or not any more, took nothing."""


class TooSlow(Exception):
    """The client has not taken anything for too long."""


class Outbox:
    """Frames on their way to one socket, in order.

    `waiting` is in bytes. `moved` is the loop's time at which the socket last took something that waited.
    """

    __slots__ = (
        "_batch",
        "_closing",
        "_due",
        "_emptied",
        "_queue",
        "_send",
        "_task",
        "_write",
        "lost",
        "moved",
        "waiting",
    )

    def __init__(self, send: Send, write: Write | None = None, *, batch: bool = False) -> None:
        self._send = send
        self._write = write
        self._batch = batch
        self._queue: list[Bundle] = []
        self._closing: int | None = None
        self._due = False  # a flush is on its way
        self._task: asyncio.Task[None] | None = None
        self.waiting = 0
        self.moved = 0.0
        self.lost = False  # the client has gone: every frame is dropped
        self._emptied: asyncio.Future[None] | None = None

    def put(self, frame: str, *, always: bool = False) -> bool:
        """Queues a frame that must arrive. False: there was no room, it was not queued.

        All frames that are put in one turn of the loop are sent together. `always` is for answers, of which there
        are never more than a socket may have questions.
        """
        bundle = Bundle.of(frame)
        if not always and not self._has_room_for(bundle):
            return False
        self._append(bundle)
        return True

    def hand(self, bundle: Bundle) -> bool:
        """The same for frames that go to many sockets: written here and now if nothing waits in front of them."""
        if self.waiting and not self._has_room_for(bundle):
            return False
        self._write_or_append(bundle)
        return True

    def offer(self, bundle: Bundle) -> None:
        """Takes ephemeral frames where the socket keeps up, and drops them where it does not."""
        if self.waiting and (self.waiting > EPHEMERAL_BYTES or held.used > TIGHT_BYTES):
            metrics.outbox_dropped.inc()
        else:
            self._write_or_append(bundle)

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
            if last:
                self._append(Bundle.of(last))
            self._closing = code
            self._flush_soon()

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
        """Forgets everything that waits: the client has gone, or takes nothing."""
        self._lose()
        if self._task:
            self._task.cancel()

    # --- Writing at once, or at the end of this turn of the loop -------------------------------------

    def _has_room_for(self, bundle: Bundle) -> bool:
        """A closed or closing socket accepts everything, so that nobody waits for it."""
        if not self.waiting or self.lost or self.closing:
            return True
        return self.waiting + bundle.size <= OUTBOX_BYTES and held.used + bundle.size <= WAITING_BYTES

    def _write_or_append(self, bundle: Bundle) -> None:
        idle = not self.waiting and self._write is not None and self._closing is None
        try:
            if idle and self._write(bundle.wire(self._batch)):  # type: ignore[misc]
                return
        except Exception as error:
            self._give_up(error)
        self._append(bundle)

    def _append(self, bundle: Bundle) -> None:
        if self.lost or self.closing:
            return
        if not self.waiting:
            self.moved = asyncio.get_running_loop().time()
        self._queue.append(bundle)
        self.waiting += bundle.size
        held.used += bundle.size
        self._flush_soon()

    def _flush_soon(self) -> None:
        if not self._due and self._task is None:
            self._due = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._due = False
        if self.lost:
            return
        try:
            self._write_all()
        except Exception as error:
            self._give_up(error)
            return
        if self._queue or self.closing:
            self._task = start(self._send_all())
        if self._task:
            holders.add(self)

    def _write_all(self) -> None:
        """As far as the server takes it without waiting."""
        self._queue = joined(self._queue)
        while self._write is not None and self._queue and self._write(self._queue[0].wire(self._batch)):
            self._sent(self._queue.pop(0).size)
        if not self._queue:
            self._tell_empty()

    # --- Waiting for the transport --------------------------------------------------------------------

    async def _send_all(self) -> None:
        try:
            while self._queue:
                await self._send_bundle(self._queue.pop(0))
                self._write_all()
            if self._closing is not None:
                await self._close()
        except (OSError, RuntimeError):  # how servers say that the client has gone
            self._end()
        except Exception as error:
            self._give_up(error)
        finally:
            self._task = None
            holders.discard(self)

    async def _send_bundle(self, bundle: Bundle) -> None:
        for text, size in bundle.texts(self._batch):
            await self._send({"type": "websocket.send", "text": text})
            self._sent(size)

    def _give_up(self, error: Exception) -> None:
        """Ends this socket after an error of any kind, and nothing else."""
        failures.report("a socket's outbox", error)
        self._end()

    def _end(self) -> None:
        self._lose()
        self._closing = self._closing or FAILED
        start(self._close())

    async def _close(self) -> None:
        with contextlib.suppress(Exception):  # it ends either way
            await self._send({"type": "websocket.close", "code": self._closing})

    def _sent(self, size: int) -> None:
        self.waiting -= size
        held.used -= size
        self.moved = asyncio.get_running_loop().time()

    def _lose(self) -> None:
        self.lost = True
        held.used -= self.waiting
        self.waiting = 0
        self._queue.clear()
        self._tell_empty()

    def _tell_empty(self) -> None:
        if self._emptied is not None:
            if not self._emptied.done():
                self._emptied.set_result(None)
            self._emptied = None
