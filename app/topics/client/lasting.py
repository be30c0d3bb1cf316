"""A connection that comes back by itself. It knows no frame's meaning but those of `welcome` and `goodbye`."""

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from topics.client.dialing import FINAL, FINAL_REASONS, Line, back_off, closed, dial, frames_of
from topics.client.errors import ClientError, Closed, Unreachable
from topics.client.events import Frame, person_of
from topics.client.joined import LEFT

STEADY_SECONDS: Final = 10  # a connection that lived this long was a good one: the back-off starts afresh

logger = logging.getLogger(__name__)


class Lasting:
    """Subclasses say what is resumed over a new connection, what a frame means, and what becomes of it at the end.

    `you` is who the server takes one for, `limits` what it says of sizes and numbers.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        silence: float | None,
        longest_pause: float,
        on_state: Callable[[str], None],
        options: Mapping[str, Any],
    ) -> None:
        self.url = url
        self._headers, self._options = headers, options
        self._silence, self._longest_pause, self._on_state = silence, longest_pause, on_state
        self._connection: ClientConnection | None = None
        self._order = asyncio.Lock()  # what is sent anew goes before what is new
        self._tasks: set[asyncio.Task[None]] = set()
        self._goodbye: Frame = {}
        self._end: ClientError | None = None

    async def _resume(self) -> None:
        """Over a new connection, before anything else is sent."""
        raise NotImplementedError

    def _hear(self, frame: Frame) -> None:
        raise NotImplementedError

    def _finish(self, reason: ClientError) -> None:
        """Called once or more: from now on everything is answered by this."""
        self._end = self._end or reason

    async def __aenter__(self) -> Self:
        """Raises Unreachable, Closed."""
        line = await dial(self.url, self._headers, self._options)
        await self._begin(line)
        self._life = asyncio.create_task(self._live(line))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._finish(LEFT)
        if self._connection is not None:
            await self._connection.close()
        self._life.cancel()
        await asyncio.wait([self._life, *self._tasks])

    # --- Writing -------------------------------------------------------------------------------------

    async def _post(self, frame: Frame) -> None:
        """What cannot be sent now is sent, or asked for anew, over the next connection."""
        async with self._order:
            await self._write(encode(frame))

    async def _write(self, text: str) -> None:
        if self._connection is not None:
            with suppress(ConnectionClosed):
                await self._connection.send(text)

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _begin(self, line: Line) -> None:
        """Everything goes over this line from here on."""
        async with self._order:
            self._connection = line.connection
            self.you = person_of(line.welcome["you"])
            self.limits: dict[str, int] = line.welcome["limits"]
            self._patience: float = self._silence or line.welcome["ping_seconds"]
            await self._resume()
        self._tell("online")

    # --- Living --------------------------------------------------------------------------------------

    async def _live(self, line: Line) -> None:
        loop, attempt = asyncio.get_running_loop(), 0
        try:
            while True:
                began = loop.time()
                pause = await self._serve(line)
                self._tell("offline")
                attempt = 0 if loop.time() - began > STEADY_SECONDS else attempt
                line, attempt = await self._return(pause, attempt)
                self._start(self._begin(line))
        except Closed as error:
            self._finish(error)
        except Exception as error:
            logger.exception("the client has failed")
            self._finish(Closed("failed", f"The client has failed: {error!r}"))

    async def _return(self, pause: float, attempt: int) -> tuple[Line, int]:
        """A new line, and how many dials it took since the last good one."""
        while True:
            await asyncio.sleep(pause + back_off(attempt, self._longest_pause))
            attempt += 1
            try:
                return await dial(self.url, self._headers, self._options), attempt
            except Unreachable as error:
                logger.info("%s", error.detail)
                pause = error.retry_after or 0.0

    async def _serve(self, line: Line) -> float:
        """Hears what comes until the connection ends; for how many seconds the server asked to stay away."""
        self._goodbye = {}
        try:
            for frame in line.frames:
                self._take(frame)
            while await self._hear_next(line.connection):
                pass
        except ConnectionClosed:
            code = await closed(line.connection)
            if code in FINAL:
                reason = self._goodbye.get("reason") or FINAL_REASONS.get(code, str(code))
                raise Closed(reason, f"The server has closed the socket: {reason}.") from None
        except (ValueError, LookupError, TypeError):
            logger.exception("what the server sends cannot be understood")
        finally:
            self._connection = None
            line.connection.transport.abort()
        return float(self._goodbye.get("after_ms") or 0) / 1_000

    async def _hear_next(self, connection: ClientConnection) -> bool:
        """Hears one message; False where nothing comes, and not even a ping is answered."""
        for may_ask in (True, False):
            with suppress(TimeoutError):
                async with asyncio.timeout(self._patience):
                    for frame in frames_of(await connection.recv()):
                        self._take(frame)
                    return True
            if may_ask:
                await connection.send('{"type":"ping"}')
        return False

    def _take(self, frame: Frame) -> None:
        if frame["type"] == "goodbye":
            self._goodbye = frame
        else:
            self._hear(frame)

    def _tell(self, state: str) -> None:
        if self._end is not None:
            return
        try:
            self._on_state(state)
        except Exception:
            logger.exception("on_state has failed")


def encode(value: Any, default: Callable[[Any], Any] | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=default)
