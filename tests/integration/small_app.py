"""A server process with an application of the tests' own: python small_app.py <daphne|uvicorn> <port> [option…]

An option is a setting or a limit, as NAME=number, or "slow start".
"""

import asyncio
import logging
import sys
import time
from typing import Any

from django.conf import settings
from prometheus_client import generate_latest

from realtime import limits

SETTINGS = {
    "DRAIN_SECONDS": 5,
    "METRICS_PORT": 0,
    "MAX_SOCKETS": 1_000,
    "SOCKETS_PER_ADDRESS": 0,
    "PROXY_HOPS": 0,
    "FRAME_RATE": 20_000,  # of one socket, a second
}
FLOOD_FRAMES, FLOOD_FRAME = 3_200, bytes(65_536)  # 200 MiB


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await answer(scope, send)
    else:
        await ROUTES[scope["path"]](scope, receive, send)


async def answer(scope: dict[str, Any], send: Any) -> None:
    if scope["path"] == "/slow":
        BEGUN.append(scope["path"])
        await asyncio.sleep(1)
    elif scope["path"] == "/slower":
        await asyncio.sleep(3)
    elif scope["path"] == "/never":
        await asyncio.Event().wait()
    bodies = {
        "/told": lambda: str(len(TOLD)).encode(),
        "/begun": lambda: str(len(BEGUN)).encode(),
        "/metrics": generate_latest,
    }
    body = bodies.get(scope["path"], lambda: b"ok")()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


async def flood(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await accept(receive, send)
    for _ in range(FLOOD_FRAMES):
        await send({"type": "websocket.send", "bytes": FLOOD_FRAME})


async def deaf(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await accept(receive, send)
    await asyncio.Event().wait()


async def never_accept(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await asyncio.Event().wait()


async def tell_why_closed(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await accept(receive, send)
    await send({"type": "websocket.close", "code": 4408, "reason": "too slow, you know"})


async def fail_at_once(scope: dict[str, Any], receive: Any, send: Any) -> None:
    raise ArithmeticError("asked for")


async def fail_later(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await accept(receive, send)
    await receive()
    raise ArithmeticError("asked for")


async def leave_at_once(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await accept(receive, send)


async def set_cookie(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await receive()
    headers = [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    await send({"type": "websocket.accept", "headers": headers})
    await send({"type": "websocket.send", "text": scope["scheme"]})


class Broken:
    """A transport to which nothing can be written any more."""

    dataBuffer = b"something waits already"

    def __init__(self, transport: Any) -> None:
        self.transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)

    def write(self, data: bytes) -> None:
        raise RuntimeError("the handler is closed")


async def break_in_write(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await accept(receive, send)
    await break_after_a_word(scope, receive)
    scope["extensions"]["realtime.write"](b"\x81\x02hi")
    await until_told(scope, receive)


async def break_in_send(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await accept(receive, send)
    await break_after_a_word(scope, receive)
    try:
        await send({"type": "websocket.send", "text": "hi"})
        await until_told(scope, receive)
    except RuntimeError:  # so it is told at once
        TOLD.append(scope["path"])
        raise


async def break_in_check(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await accept(receive, send)
    await receive()
    scope["extensions"]["realtime.write"].__self__.check_timeouts = lambda: 1 / 0
    await until_told(scope, receive)


async def break_in_close(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await accept(receive, send)
    await receive()
    socket = scope["extensions"]["realtime.write"].__self__
    socket.close = socket.shutdown = lambda *_: 1 / 0
    await until_told(scope, receive)


async def break_after_a_word(scope: dict[str, Any], receive: Any) -> None:
    await receive()
    socket = scope["extensions"]["realtime.write"].__self__
    socket.transport = Broken(socket.transport)


async def until_told(scope: dict[str, Any], receive: Any) -> None:
    while (await receive())["type"] != "websocket.disconnect":
        pass
    TOLD.append(scope["path"])


BEGUN: list[str] = []  # the paths of slow requests that have come to the application
TOLD: list[str] = []  # the paths of sockets whose applications know that they have ended


async def accept(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})


def main(server: str, port: str, *options: str) -> None:
    numbers = {name: float(value) for name, _, value in (option.partition("=") for option in options) if value}
    for name in SETTINGS.keys() & numbers:
        SETTINGS[name] = int(numbers.pop(name))
    for name, number in numbers.items():
        assert hasattr(limits, name), name
        setattr(limits, name, number)
    settings.configure(HOST="127.0.0.1", PORT=int(port), WS_SERVER=server, **SETTINGS)
    logging.basicConfig(level=logging.WARNING, stream=sys.stdout)

    from realtime import process, reach, serve
    from realtime.admission import Admission
    from realtime.echo import echo_socket

    ROUTES["/ws/echo/"] = echo_socket
    reach.look = lambda: None  # nothing is to be reached, and what it imports would be taken for a client's memory
    if "slow start" in options:
        make_server = process.make_server
        process.make_server = lambda application: time.sleep(1) or make_server(application)  # type: ignore[func-returns-value]
    serve.main(Routed(Admission(application)))


class Routed:
    """Admission is for sockets only."""

    def __init__(self, sockets: Any) -> None:
        self.sockets = sockets

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        await (application if scope["type"] == "http" else self.sockets)(scope, receive, send)


ROUTES: dict[str, Any] = {
    "/flood/": flood,
    "/deaf/": deaf,
    "/slow/": never_accept,
    "/why/": tell_why_closed,
    "/fail/": fail_at_once,
    "/fail-later/": fail_later,
    "/leave/": leave_at_once,
    "/cookie/": set_cookie,
    "/broken/write/": break_in_write,
    "/broken/send/": break_in_send,
    "/broken/check/": break_in_check,
    "/broken/close/": break_in_close,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
