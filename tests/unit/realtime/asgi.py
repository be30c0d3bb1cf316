"""A WebSocket server without a network, for one connection."""

import asyncio
from typing import Any

Message = dict[str, Any]

_served: set["asyncio.Task[None]"] = set()  # as a server holds them: the loop alone does not keep a task alive


class Client:
    """What it `says` is received by the application, what the application sends is in `heard`."""

    def __init__(self, path: str = "/ws/room/lobby/", headers: dict[str, str] | None = None, **scope: Any) -> None:
        self.scope: Message = {
            "type": "websocket",
            "path": path,
            "scheme": "ws",
            "headers": [(key.lower().encode(), value.encode("latin-1")) for key, value in (headers or {}).items()],
            "client": ["192.0.2.1", 1],
            "subprotocols": [],
            "extensions": {"websocket.http.response": {}},
            **scope,
        }
        self.heard: list[Message] = []
        self._said: asyncio.Queue[Message] = asyncio.Queue()
        self._said.put_nowait({"type": "websocket.connect"})

    def says(self, **content: Any) -> None:
        self._said.put_nowait({"type": "websocket.receive", **content})

    def leaves(self) -> None:
        self._said.put_nowait({"type": "websocket.disconnect", "code": 1000})

    async def receive(self) -> Message:
        return await self._said.get()

    async def send(self, message: Message) -> None:
        self.heard.append(message)

    def meets(self, application: Any) -> "asyncio.Task[None]":
        """The application serves this client, in a task."""
        serving = asyncio.ensure_future(application(self.scope, self.receive, self.send))
        _served.add(serving)
        serving.add_done_callback(_served.discard)
        return serving

    @property
    def outcome(self) -> str:
        """The first thing that the application said, or its status."""
        first = self.heard[0]
        return str(first.get("status") or first["type"].rpartition(".")[2])


async def room(scope: Message, receive: Any, send: Any) -> None:
    """Lets everybody in, until they leave."""
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def everybody_has_acted() -> None:
    for _ in range(5):
        await asyncio.sleep(0)
