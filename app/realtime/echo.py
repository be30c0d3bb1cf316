"""ws/echo/: returns every frame as it came, for conformance suites and for testing what lies in between."""

import asyncio
from typing import Any

from realtime import drain
from realtime.admission import offered
from realtime.closing import Goodbye

Message = dict[str, Any]


async def echo_socket(scope: Message, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept", "subprotocol": offered(scope)})
    echo = Echo(send)
    drain.sockets.add(echo)
    try:
        while (message := await receive())["type"] == "websocket.receive":
            await send({**message, "type": "websocket.send"})
    except OSError:
        pass  # the client has gone
    finally:
        drain.sockets.discard(echo)


class Echo:
    """Closes without words: what it sends is what it got."""

    def __init__(self, send: Any) -> None:
        self._send = send
        self._closing: asyncio.Task[None] | None = None

    def close_with(self, goodbye: Goodbye) -> None:
        if self._closing is None:
            closing = self._send({"type": "websocket.close", "code": goodbye.code, "reason": goodbye.reason})
            self._closing = asyncio.ensure_future(closing)
