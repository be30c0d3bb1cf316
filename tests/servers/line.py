"""A bad network: a TCP proxy of our own that cuts, stalls and slows."""

import asyncio
from types import TracebackType
from typing import Self

CHUNK = 1_024


class Line:
    """Leads to a port of loopback; clients dial `port`. Lives in the running loop."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.bytes_per_second = 0  # no limit
        self._is_down = False
        self.carries_sockets = True  # new ones; otherwise it is a proxy that knows no WebSocket
        self._flows = asyncio.Event()
        self._flows.set()
        self._ends: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0, limit=CHUNK)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Reset every connection there is; new ones are possible at once."""
        for end in self._ends:
            end.transport.abort()
        self._ends.clear()

    def down(self) -> None:
        """Cut, and refuse whoever dials, until it is up again."""
        self._is_down = True
        self.cut()

    def up(self) -> None:
        self._is_down = False

    def stall(self) -> None:
        """Carry nothing in either direction, and tell nobody."""
        self._flows.clear()

    def flow(self) -> None:
        self._flows.set()

    async def _join(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        if self._is_down:
            to_client.transport.abort()
            return
        try:
            server, to_server = await asyncio.open_connection("127.0.0.1", self.target, limit=CHUNK)
        except OSError:
            to_client.transport.abort()
            return
        self._ends |= {to_client, to_server}
        for source, sink in ((client, to_server), (server, to_client)):
            task = asyncio.create_task(self._carry(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while chunk := await source.read(CHUNK):
                if not self.carries_sockets and chunk.startswith(b"GET /ws/"):
                    return
                await self._flows.wait()
                if self.bytes_per_second:
                    await asyncio.sleep(len(chunk) / self.bytes_per_second)
                sink.write(chunk)
                await sink.drain()
        except OSError:
            pass
        finally:
            sink.close()
            self._ends.discard(sink)
