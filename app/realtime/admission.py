"""Who may come in at all: nobody while the process leaves or is full, and not too many from one address."""

import ipaddress
import logging
from collections import Counter
from typing import Any, Final

from realtime import capacity, drain, metrics
from realtime.closing import TOO_MANY, Goodbye
from realtime.conf import settings
from realtime.seldom import Seldom, again

logger = logging.getLogger(__name__)

Message = dict[str, Any]
HEALTH_PATH = "/ws/health/"  # probers always get in: a process that is full or leaving is alive
DRAINING: Final = "draining"
OVERLOADED: Final = "overloaded"


class Inside:
    """Who is in: sockets, and answers to requests that last as long as a socket does."""

    def __init__(self) -> None:
        self.open = 0
        self.open_from: Counter[str] = Counter()

    def full(self, address: str | None) -> str:
        """Why nobody more may come in, from this address where it is given; empty where somebody may."""
        if drain.draining():
            return DRAINING
        if self.open >= capacity.most_sockets():
            return OVERLOADED
        if address is not None and self.open_from[address] >= settings.SOCKETS_PER_ADDRESS:
            return TOO_MANY.reason
        return ""

    def count(self, address: str | None, sockets: int) -> None:
        self.open += sockets
        if address is not None:
            self.open_from[address] += sockets
            if not self.open_from[address]:
                del self.open_from[address]


here: Final = Inside()
"""This process."""


class Admission:
    """ASGI application around the one that serves WebSockets.

    503 at the handshake lets a proxy try the next process. Whoever has too many sockets would be refused
    there, too, and is told so in words.
    """

    def __init__(self, application: Any, inside: Inside = here) -> None:
        self.application = application
        self.inside = inside

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        """One coroutine, not one a question: it lives as long as the socket."""
        if scope["path"] == HEALTH_PATH:
            await self.application(scope, receive, send)
        elif (reason := self.inside.full(address := limited(scope))) == TOO_MANY.reason:
            tell(scope, reason)
            await turn_away(scope, receive, send, TOO_MANY)
        elif reason:
            tell(scope, reason)
            await refuse(scope, receive, send, reason)
        else:
            self.inside.count(address, 1)
            try:
                await self.application(scope, receive, send)
            finally:
                self.inside.count(address, -1)


def limited(scope: Message) -> str | None:
    """Whose sockets are counted, if they are."""
    return subscriber(scope) if settings.SOCKETS_PER_ADDRESS else None


def subscriber(scope: Message) -> str:
    """Where the client is."""
    return subscriber_at((scope.get("client") or [""])[0])


def subscriber_at(host: str) -> str:
    """The address; of IPv6 the network of 64 bits, which is what one subscriber gets."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return str(host)
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def tell(scope: Message, reason: str) -> None:
    """For who runs the site: whom the door has refused and which setting decides it. Who comes while a process leaves
    goes to the next one, which is no news.
    """
    if reason == DRAINING:
        return
    address = subscriber(scope)
    if reason == OVERLOADED:
        subject, sentence = reason, f"{capacity.most_sockets()} are open; {MORE_ROOM}"
    else:
        subject, sentence = (
            address,
            f"it has {settings.SOCKETS_PER_ADDRESS} already, as many as SOCKETS_PER_ADDRESS says",
        )
    if (times := refusals.due(subject)) is not None:
        logger.warning("a socket from %r was refused: %s%s", address, sentence, again(times))


refusals = Seldom()
MORE_ROOM: Final = "start more processes (REPLICAS) or raise MAX_SOCKETS and the limit of open files (ulimit -n)"


async def refuse(scope: Message, receive: Any, send: Any, reason: str) -> None:
    """503 instead of a WebSocket, or 403 from a server that knows no other status."""
    metrics.refused.labels(reason).inc()
    await receive()
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close"})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"retry-after", b"1")]
    await send({"type": "websocket.http.response.start", "status": 503, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": reason.encode()})


async def forbid(receive: Any, send: Any, reason: str) -> None:
    """403: another process would not let it in either."""
    metrics.refused.labels(reason).inc()
    await receive()
    await send({"type": "websocket.close"})


async def turn_away(scope: Message, receive: Any, send: Any, goodbye: Goodbye) -> None:
    """Accepts, says why not and closes: browsers do not let a page see how a handshake failed."""
    metrics.refused.labels(goodbye.reason).inc()
    subprotocol = offered(scope)
    frame = goodbye.frame()
    if subprotocol and subprotocol.endswith(".batch"):
        frame = f"[{frame}]"
    await receive()
    await send({"type": "websocket.accept", "subprotocol": subprotocol})
    await send({"type": "websocket.send", "text": frame})
    await send({"type": "websocket.close", "code": goodbye.code})


def offered(scope: Message) -> str | None:
    """One of the client's subprotocols: a browser that offers some gives up where none is chosen."""
    return next(iter(scope.get("subprotocols") or []), None)
