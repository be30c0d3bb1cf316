"""uvicorn's server, listening on sockets that it is given, with the same limits as Daphne's."""

import asyncio
import socket
from collections.abc import Sequence
from typing import Any

import uvicorn

from realtime.failures import contained, keep, report
from realtime.limits import KEEP_ALIVE_SECONDS, MAX_FRAME_BYTES, MAX_HEAD_BYTES, PING_SECONDS, PONG_SECONDS
from realtime.servers.acceptor import Acceptor
from realtime.servers.leaving import leave
from realtime.servers.uvicorn_http import Http, after_the_body
from realtime.servers.uvicorn_socket import Socket


class Server(uvicorn.Server):
    """Runs on `loop`, where `start` and `stop` are to be awaited. Takes no signals."""

    def __init__(self, application: Any) -> None:
        config = uvicorn.Config(
            after_the_body(application),
            interface="asgi3",
            lifespan="off",
            http=Http,
            ws=Socket,
            h11_max_incomplete_event_size=MAX_HEAD_BYTES,
            ws_max_size=MAX_FRAME_BYTES,
            ws_per_message_deflate=False,
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=PONG_SECONDS,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
        )
        super().__init__(config)
        factory = config.get_loop_factory() or asyncio.new_event_loop  # uvloop's, where it is installed
        self.loop = factory()

    async def start(self, listeners: Sequence[socket.socket], ceiling: float) -> None:
        """Accepts connections on sockets that listen, as long as their descriptors are below the ceiling."""
        self.config.load()
        self.lifespan = self.config.lifespan_class(self.config)
        self._opening: set[asyncio.Task[Any]] = set()
        self._acceptors = [Acceptor(listener, self._take, ceiling) for listener in listeners]
        self._ticking = keep("uvicorn's clock", self.main_loop)

    def accept_nobody(self) -> None:
        """From now on whoever comes waits in the kernel's queue, for as long as another process holds the listeners."""
        while self._acceptors:
            self._acceptors.pop().close()

    async def stop(self, seconds: float) -> None:
        """Takes in nobody but who has come already, closes sockets and gives what is under way so many seconds."""
        self.should_exit = True
        await leave(self._acceptors, self.server_state.connections, _tell, _give_up, seconds)

    def _take(self, connection: socket.socket, address: Any) -> None:
        opening = asyncio.create_task(self._open(connection))
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)

    async def _open(self, connection: socket.socket) -> None:
        try:
            await self.loop.connect_accepted_socket(self._protocol, connection)
        except OSError:  # it has gone already
            connection.close()

    def _protocol(self) -> asyncio.Protocol:
        made: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made


def _tell(connection: Any) -> None:
    connection.shutdown()


def _give_up(connection: Any, error: Exception) -> None:
    report("a connection", error)
    with contained("a connection"):
        connection.transport.abort()
