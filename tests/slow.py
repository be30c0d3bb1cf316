"""Clients that do not read, read slowly or send too much, and what a server process spends on them."""

import asyncio
import contextlib
import json
import re
import select
import socket
import time
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from client import SECONDS, room_path
from servers.app import Server

RECEIVE_BYTES = 16_384  # that the kernel holds for such a client, so that the server feels it soon


class Slow:
    """Reads when it is told to. `numbers` are those of what it has read, `others` the types of what has none."""

    def __init__(self, connection: ClientConnection, seq: int) -> None:
        self.connection = connection
        self.first = seq + 1
        self.numbers: list[int] = []
        self.others: list[str] = []

    @classmethod
    async def enter(cls, server: Server, room: str) -> "Slow":
        connection = await cls._dial(server, room_path(room))
        return cls(connection, json.loads(await connection.recv())["seq"])

    @classmethod
    async def follow(cls, server: Server, topic: str) -> "Slow":
        connection = await cls._dial(server, "/ws/", Subprotocol("topics.v1"))
        await connection.send(json.dumps({"type": "join", "topic": topic}))
        while (frame := json.loads(await connection.recv()))["type"] != "joined":
            pass
        return cls(connection, frame["seq"])

    @staticmethod
    async def _dial(server: Server, path: str, *subprotocols: Subprotocol) -> ClientConnection:
        return await connect(
            server.ws_url + path,
            subprotocols=subprotocols or None,
            sock=small_line(server),
            compression=None,
            ping_interval=None,
            max_queue=1,
            max_size=2**20,
            close_timeout=1,
        )

    async def read(self) -> int:
        """One frame; its length."""
        raw = await self.connection.recv()
        frame = json.loads(raw)
        if frame["type"] in ("message", "event"):
            self.numbers.append(frame["seq"])
        else:
            self.others.append(frame["type"])
        return len(raw)

    async def read_until(self, seq: int) -> None:
        while not self.numbers or self.numbers[-1] < seq:
            await self.read()

    async def read_slowly(self, bytes_per_second: int) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(await self.read() / bytes_per_second)

    async def read_to_the_end(self) -> int | None:
        """The close code."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self.read()
        return self.connection.close_code

    def leave(self) -> None:
        self.connection.transport.abort()


class Flood:
    """Says things and pings as fast as the line takes it, in a thread; it reads the answers or does not."""

    def __init__(self, server: Server, room: str, reads: bool) -> None:
        self.reads = reads
        self.sent = 0  # frames
        self._line = small_line(server)
        handshake = [
            f"GET {room_path(room)} HTTP/1.1",
            "Host: localhost",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        ]
        self._line.sendall("\r\n".join([*handshake, "", ""]).encode())
        self._line.settimeout(SECONDS)
        assert b" 101 " in self._line.recv(2_048)
        self._line.setblocking(False)

    def for_seconds(self, seconds: float) -> None:
        frames = [text_frame('{"type":"message","body":"flood"}'), text_frame('{"type":"ping"}'), PING]
        flood = b"".join(frames) * 50
        rest = b""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            readable, writable, _ = select.select([self._line] if self.reads else [], [self._line], [], 0.1)
            try:
                if readable and not self._line.recv(65_536):
                    return
                if writable:
                    rest = rest or flood
                    rest = rest[self._line.send(rest) :]
                    self.sent += 0 if rest else 50 * len(frames)
            except OSError:  # the server has had enough
                return

    def end(self) -> None:
        self._line.close()


def small_line(server: Server) -> socket.socket:
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    line.connect(("127.0.0.1", server.port))
    return line


def text_frame(text: str) -> bytes:
    """As a client sends it, up to 125 bytes; the mask of zeros changes nothing."""
    return bytes([0x81, 0x80 | len(text)]) + bytes(4) + text.encode()


PING = bytes([0x89, 0x80]) + bytes(4)


class Growth:
    """The most bytes by which a process was bigger than at first."""

    bytes = 0


@contextlib.asynccontextmanager
async def growth(server: Server) -> AsyncIterator[Growth]:
    """What the process needs more, at its worst moment, than when the block began."""
    found, before = Growth(), memory(server)

    async def watch() -> None:
        while True:
            found.bytes = max(found.bytes, memory(server) - before)
            await asyncio.sleep(0.05)

    watching = asyncio.create_task(watch())
    try:
        yield found
    finally:
        watching.cancel()


def memory(server: Server) -> int:
    """Resident bytes."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{server.pid}/status").read_text())
    assert found
    return int(found[1]) * 1_024


def counted(server: Server, metric: str) -> float:
    """A number of the process's own, such as `realtime_goodbyes_total{reason="too_slow"}`; 0 where it has none yet."""
    port = (server.env or {})["METRICS_PORT"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=SECONDS) as answer:
        lines = answer.read().decode().splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(metric + " ")), 0.0)
