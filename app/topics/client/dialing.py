"""Opening a connection, and saying in a sentence why there is none."""

import asyncio
import ipaddress
import json
import random
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from topics.client.errors import Closed, Unreachable
from topics.client.events import Frame

PROTOCOLS: Final = [Subprotocol("topics.v1.batch"), Subprotocol("topics.v1")]
DIAL_SECONDS: Final = 15.0  # from dialling to the welcome
CLOSE_SECONDS: Final = 2.0  # for the server to answer a close
FIRST_PAUSE: Final = 0.5  # seconds before the first return at most; twice as many after each failure
FINAL: Final = range(4400, 4500)  # close codes after which one does not return
FINAL_REASONS: Final = {4400: "bad_frames", 4401: "login_required", 4403: "forbidden", 4404: "not_found"}
HINTS: Final = {
    401: "log in first: give a cookie or a token",
    403: "this origin or address may not come in, or it takes wss:// only",
    404: "there is no socket at this path; topics are at /ws/",
    503: "it restarts, or is full: try again",
}


@dataclass
class Line:
    """A connection that was welcomed, and what was said beside the welcome."""

    connection: ClientConnection
    welcome: Frame
    frames: list[Frame]


def address_of(url: str) -> str:
    """`http` becomes `ws`, and a host alone gets the path of topics. Raises ValueError with a sentence."""
    parts = urlsplit(url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    if scheme not in {"ws", "wss"} or not parts.hostname:
        raise ValueError(f"{url!r} is not an address such as wss://rooms.example.org/ws/.")
    return urlunsplit((scheme, parts.netloc, parts.path if parts.path.strip("/") else "/ws/", parts.query, ""))


def headers_of(
    token: str | None, cookies: Mapping[str, str] | None, headers: Mapping[str, str] | None
) -> dict[str, str]:
    """What the handshake says of who one is."""
    found = dict(headers or {})
    if cookies:
        found["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    if token:
        found["Authorization"] = f"Bearer {token}"
    return found


def back_off(attempt: int, longest: float) -> float:
    """Full jitter: a thousand clients that lost the same server do not come back in step."""
    return random.uniform(0, min(longest, FIRST_PAUSE * 2 ** min(attempt, 30)))


async def dial(url: str, headers: Mapping[str, str], options: Mapping[str, Any]) -> Line:
    """Returns once welcomed. Raises Unreachable, or Closed where coming back would not help."""
    defaults: dict[str, Any] = {
        "subprotocols": PROTOCOLS,
        "compression": None,
        "ping_interval": None,  # silence is noticed by frames
        "close_timeout": CLOSE_SECONDS,
    }
    if is_here(url):
        defaults["proxy"] = None
    try:
        async with asyncio.timeout(DIAL_SECONDS):
            connection = await connect(url, additional_headers=headers, **{**defaults, **options})
            return await welcomed(connection, url)
    except (OSError, InvalidHandshake, ConnectionClosed, EOFError) as error:
        raise Unreachable("unreachable", sentence(error, url)) from error


async def welcomed(connection: ClientConnection, url: str) -> Line:
    try:
        if connection.subprotocol is None:
            raise Unreachable("no_topics", f"What answers at {url} does not speak topics.v1; topics are at /ws/.")
        first, *rest = frames_of(await connection.recv())
        if first.get("type") == "goodbye":
            code = await closed(connection)
            detail = f"The server lets nobody in just now: {first['reason']}."
            if code in FINAL:
                raise Closed(first["reason"], detail)
            raise Unreachable(first["reason"], detail, (first.get("after_ms") or 0) / 1000)
        if first.get("type") != "welcome":
            raise Unreachable("no_topics", f"What answers at {url} does not speak topics.v1: it gave no welcome.")
    except BaseException:
        connection.transport.abort()
        raise
    return Line(connection, first, rest)


async def closed(connection: ClientConnection) -> int:
    """The code by which the server closes."""
    await connection.wait_closed()
    return connection.close_code or 1006


def frames_of(text: str | bytes) -> list[Frame]:
    decoded = json.loads(text)
    return decoded if isinstance(decoded, list) else [decoded]


def is_here(url: str) -> bool:
    """Whether it is this machine's loopback, which no proxy leads to."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def sentence(error: Exception, url: str) -> str:
    host = urlsplit(url).netloc
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        return f"{url} answered {status}: {HINTS.get(status, 'it is no socket, or is not reached')}."
    if isinstance(error, TimeoutError):
        return f"{host} does not answer."
    if isinstance(error, socket.gaierror):
        return f"There is no host {urlsplit(url).hostname!r} ({error.strerror})."
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The certificate of {host} does not count here: {error.verify_message}."
    if isinstance(error, ssl.SSLError):
        return f"{host} does not speak TLS: is it ws:// instead of wss://?"
    if isinstance(error, ConnectionRefusedError):
        return f"Nobody listens at {host}: is the server running, and is this its port?"
    if isinstance(error, InvalidHandshake | EOFError):
        return f"What answers at {host} is no WebSocket server: {error}."
    return f"{host} cannot be reached: {error}."
