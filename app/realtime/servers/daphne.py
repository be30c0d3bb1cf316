"""Daphne's server, listening on sockets that it is given and ending its applications in order."""

import asyncio
import logging
import socket
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, cast

import daphne.server
from daphne.ws_protocol import WebSocketFactory
from twisted.internet import reactor as twisted_reactor
from twisted.internet import tcp
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.logger import (
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    STDLibLogObserver,
    globalLogBeginner,
)

from realtime.failures import contained, keep, report
from realtime.inbox import Inbox
from realtime.limits import CLOSE_SECONDS, MAX_FRAME_BYTES
from realtime.outbox import WRITE
from realtime.servers.acceptor import Acceptor
from realtime.servers.daphne_http import Factory
from realtime.servers.daphne_socket import ClientDisconnected, Socket, with_options_of
from realtime.servers.leaving import leave

logger = logging.getLogger(__name__)
reactor: Any = twisted_reactor

Message = dict[str, Any]
CHECK_SECONDS = 1
APPLICATION_SECONDS = 10  # for an application to end after its client has gone


class Server(daphne.server.Server):
    """Runs on `loop`, where `start` and `stop` are to be awaited. Takes no signals."""

    def __init__(self, application: Any) -> None:
        super().__init__(
            application,
            endpoints=["given to start()"],
            signal_handlers=False,
            websocket_timeout=-1,
            request_buffer_size=MAX_FRAME_BYTES,
            server_name="",
        )
        self.connections: dict[Any, dict[str, Any]] = {}

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return reactor._asyncioEventloop  # type: ignore[no-any-return]

    async def start(self, listeners: Sequence[socket.socket], ceiling: float) -> None:
        """Accepts connections on sockets that listen, as long as their descriptors are below the ceiling."""
        _log_errors_only()
        self.http_factory = Factory(self)
        self.http_factory.timeOut = None  # each byte would move it
        self.ws_factory = WebSocketFactory(self, server="")
        self.ws_factory.setProtocolOptions(
            maxMessagePayloadSize=MAX_FRAME_BYTES,
            maxFramePayloadSize=MAX_FRAME_BYTES,
            failByDrop=False,
            openHandshakeTimeout=0,
            closeHandshakeTimeout=CLOSE_SECONDS,
            autoPingRestartOnAnyTraffic=False,
        )
        self.ws_factory.protocol = with_options_of(self.ws_factory)
        reactor.startRunning(installSignalHandlers=False)
        self._acceptors = [Acceptor(listener, self._take, ceiling) for listener in listeners]
        self._checking = keep("the check of connections", self._check)

    def accept_nobody(self) -> None:
        """From now on whoever comes waits in the kernel's queue, for as long as another process holds the listeners."""
        while self._acceptors:
            self._acceptors.pop().close()

    async def stop(self, seconds: float) -> None:
        """Takes in nobody but who has come already, closes sockets and gives what is under way so many seconds."""
        self._checking.cancel()
        await leave(self._acceptors, self.connections, _tell, _give_up, seconds)

    def _take(self, connection: socket.socket, address: Any) -> None:
        kind = IPv6Address if connection.family == socket.AF_INET6 else IPv4Address
        protocol = self.http_factory.buildProtocol(kind("TCP", *address))
        transport = tcp.Server(connection, protocol, address, cast(Any, None), address[1], reactor)
        transport.repstr = f"<Server of {address[0]}>"
        protocol.makeConnection(transport)

    # --- Applications ------------------------------------------------------------------------------

    def create_application(self, protocol: Any, scope: Message) -> Any:
        scope.setdefault("asgi", {"version": "3.0"})
        inbox: asyncio.Queue[Message] | Inbox = asyncio.Queue()
        if isinstance(protocol, Socket):
            inbox = Inbox(protocol.read_on)
            scope |= protocol.head.scope() | {
                "subprotocols": protocol.head.subprotocols,
                "scheme": "ws",
                "http_version": "1.1",
                "extensions": {"websocket.http.response": {}, WRITE: protocol.write},
            }
        running = self.application(scope=scope, receive=inbox.get, send=partial(self.handle_reply, protocol))
        task = asyncio.ensure_future(running)
        task.add_done_callback(partial(self._application_ended, protocol))
        self.connections[protocol]["application_instance"] = task
        return inbox

    async def handle_reply(self, protocol: Any, message: Message) -> None:
        if isinstance(protocol, Socket):
            await protocol.reply(message)
        else:
            while (full := getattr(protocol.channel, "full", None)) is not None:
                await full.wait()
            await super().handle_reply(protocol, message)

    def protocol_disconnected(self, protocol: Any) -> None:
        if details := self.connections.get(protocol):
            details.setdefault("disconnected", time.time())
            self._forget_if_done(protocol, details)

    def _application_ended(self, protocol: Any, task: asyncio.Task[None]) -> None:
        details = self.connections[protocol]
        del details["application_instance"]
        error = None if task.cancelled() else task.exception()
        if error and not isinstance(error, ClientDisconnected):
            logger.error("the application failed: %s", type(error).__name__, exc_info=error)
        if "disconnected" not in details:
            if isinstance(protocol, Socket):
                protocol.application_ended(error)
            elif error:
                _end_request(protocol, error)
        self._forget_if_done(protocol, details)

    def _forget_if_done(self, protocol: Any, details: dict[str, Any]) -> None:
        if "disconnected" in details and "application_instance" not in details:
            self.connections.pop(protocol, None)

    async def _check(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            for protocol, details in list(self.connections.items()):
                try:
                    self._check_one(protocol, details)
                except Exception as error:
                    _give_up(protocol, error)

    def _check_one(self, protocol: Any, details: dict[str, Any]) -> None:
        if "disconnected" not in details:
            protocol.check_timeouts()
        elif time.time() - details["disconnected"] > APPLICATION_SECONDS:
            logger.warning("an application went on without its client and was cancelled")
            details["application_instance"].cancel()


def _tell(protocol: Any) -> None:
    if isinstance(protocol, Socket):
        protocol.leave()


def _give_up(protocol: Any, error: Exception) -> None:
    if isinstance(protocol, Socket):
        protocol.give_up(error)
    else:
        report("a connection", error)
        with contained("a connection"):
            protocol.channel.forceAbortClient()


def _end_request(request: Any, error: BaseException) -> None:
    """500, or an answer that visibly breaks off where it has begun already."""
    if request._response_started:
        request.channel.forceAbortClient()
    elif not request.channel.refused:
        request.handle_exception(error)


def _log_errors_only() -> None:
    """Twisted tells of every connection; what is left is what went wrong in here."""
    standard, errors = STDLibLogObserver("twisted"), LogLevelFilterPredicate(LogLevel.error)
    observer: Any = FilteringLogObserver(cast(Any, standard), [cast(Any, errors)])
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False, discardBuffer=True)
