"""A server of topics.v1 on loopback that says what the test says, and nothing else."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

import contract

Frame = dict[str, Any]
YOU = {"key": "k", "name": "alice", "guest": True}
LIMITS = {"topics": 100, "data_bytes": 100, "signal_bytes": 50}


def event(seq: int, **more: Any) -> Frame:
    at = "2026-01-02T03:04:05.678Z"
    return {"type": "event", "topic": "t", "seq": seq, "id": f"e{seq}", "by": None, "data": seq, "at": at, **more}


def joined(seq: int, *events: Frame, epoch: str = "e", recovered: bool = False, **more: Any) -> Frame:
    people = {"members": [YOU], "member_count": 1}
    head = {"type": "joined", "topic": "t", "epoch": epoch, "seq": seq, "recovered": recovered}
    return {**head, "events": list(events), **people, **more}


class Scripted:
    """`heard` is what clients have sent, over which connection (0, 1, …); `says` answers over the latest one."""

    def __init__(self) -> None:
        self.connections: list[ServerConnection] = []
        self.heard: list[tuple[int, Frame]] = []
        self.welcome: Frame = {"type": "welcome", "you": YOU, "ping_seconds": 20, "limits": LIMITS}
        self.first: list[Frame] | None = None  # instead of the welcome, and then it closes with 4401
        self.url = ""

    async def meets(self, connection: ServerConnection) -> None:
        number = len(self.connections)
        self.connections.append(connection)
        if self.first is not None:
            await connection.send(json.dumps(self.first))
            await connection.close(4401)
            return
        await connection.send(json.dumps([self.welcome]))
        try:
            async for text in connection:
                self.heard.append((number, json.loads(text)))
                contract.said("topics", self.heard[-1][1])
        except ConnectionClosed:
            pass

    async def says(self, *frames: Frame) -> None:
        await self.connections[-1].send(json.dumps(list(frames)))

    async def hears(self, type: str, times: int = 1) -> Frame:
        """The frame of that type, the first or a later one."""
        async with asyncio.timeout(30):
            while len(found := [frame for _, frame in self.heard if frame["type"] == type]) < times:
                await asyncio.sleep(0.005)
        return found[times - 1]

    def cuts(self) -> None:
        self.connections[-1].transport.abort()


@asynccontextmanager
async def scripted(protocols: Any = ("topics.v1.batch",)) -> AsyncIterator[Scripted]:
    script = Scripted()
    server: Server
    async with serve(script.meets, "127.0.0.1", 0, subprotocols=protocols, ping_interval=None) as server:
        script.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield script
