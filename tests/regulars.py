"""Regulars of a foreign app's topic, who speak its protocol by themselves: over a socket, by the stream, and in Python.

`room` is the topic's name, such as votes/open-lunch. Who uses the stream comes through nginx.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection

import contract
from apps.polls.topics import OPTIONS
from client import Frame, dial
from crowd import Regular
from ledger import RETRY, cookies_of
from servers.stack import Stack

BESIDE = "cursors/beside"  # joined on the same socket, so that each frame says which topic it is of
DIAL_SECONDS = 30
AGAIN_SECONDS = 0.2  # after which what was not taken is sent again
SILENCE_SECONDS = 40  # on a stream, which has no ping: twice the longest silence of the server


class OnSocket(Regular):
    async def _dial(self) -> ClientConnection:
        protocol = "topics.v1.batch" if self.batch else "topics.v1"
        url = self.base + "/ws/"
        connection = await dial(url, subprotocols=[protocol], headers=self.cookies, seconds=DIAL_SECONDS)
        position = {"since": self.last, "epoch": self.epoch} if self.arrived else {}
        for join in ({"topic": BESIDE}, {"topic": self.room, **position}):
            await connection.send(json.dumps({"type": "join", **join}))
        return connection

    def _words(self, id: str, body: str) -> Frame:
        return {"type": "send", "topic": self.room, "id": id, "data": self._data(id)}

    def _data(self, id: str) -> Any:
        return {"option": OPTIONS[int(id, 16) % 2]}

    def _read_as(self, frame: Frame) -> Frame:
        if frame["type"] == "goodbye":
            return frame
        if frame.get("topic") != self.room:
            return {"type": f"not ours: {frame['type']}"}
        self.epoch = frame.get("epoch") or self.epoch
        match frame["type"]:
            case "joined":
                events = [{**event, "type": "message"} for event in frame["events"]]
                return {**frame, "type": "welcome", "messages": events}
            case "event":
                return {**frame, "type": "message"}
        return frame


class OnStream(OnSocket):
    """Hears by GET with Last-Event-ID, and says by POST."""

    async def _visit(self) -> None:
        if not self.cookies:
            self.cookies = await asyncio.to_thread(cookies_of, self.base)
        self.dials += 1
        position = {"Last-Event-ID": f"{self.epoch}/{self.last}"} if self.arrived else {}
        async with self._asked("GET", b"", Accept="text/event-stream", **position) as (status, reader):
            if status != 200:
                raise EOFError
            events = contract.Stream()
            while (line := await asyncio.wait_for(reader.readline(), SILENCE_SECONDS)).endswith(b"\n"):
                if (said := events.take(line)) is None:
                    continue
                frame = self._read_as(said)
                self._hear(frame)
                if frame["type"] == "seq" and frame["seq"] > self.last:
                    return

    async def _ask(self, frame: Frame) -> Frame | None:
        body = json.dumps({"id": frame["id"], "data": frame["data"]}).encode()
        with suppress(TimeoutError, OSError, EOFError):
            async with (
                asyncio.timeout(RETRY),
                self._asked("POST", body, **{"Content-Type": "application/json"}) as asked,
            ):
                status, reader = asked
                answer = await reader.read()
                if status in (200, 201):
                    return {"type": "ack", **json.loads(answer)}
                if status not in (429, 502, 503, 504):
                    self.wrong.append(f"refused: {status} {answer!r}")
        await asyncio.sleep(AGAIN_SECONDS)
        return None

    @asynccontextmanager
    async def _asked(self, method: str, body: bytes, **headers: str) -> AsyncIterator[tuple[int, asyncio.StreamReader]]:
        """An answer that ends with its connection: its status, and what follows its head."""
        site = urlsplit(self.base)
        async with asyncio.timeout(DIAL_SECONDS):
            reader, writer = await asyncio.open_connection(site.hostname, site.port)
        try:
            fixed = {"Host": site.netloc, "Content-Length": str(len(body))}
            lines = [f"{method} /topics/{self.room} HTTP/1.0"]
            lines += [f"{name}: {value}" for name, value in (fixed | self.cookies | headers).items()]
            writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            async with asyncio.timeout(DIAL_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            yield int(head.split(b" ", 2)[1]), reader
        finally:
            writer.transport.abort()


class Clerk:
    """A process that appends, as somebody's task does: no socket is in it."""

    PROGRAM = """
import json, sys
from django.db import connection
from topics.routes import find
for line in sys.stdin:
    wanted = json.loads(line)
    try:
        event = find(wanted["topic"]).append(wanted["data"], id=wanted["id"])
        answer = {"type": "ack", "id": event.id, "seq": event.seq}
    except Exception as error:
        connection.close()
        answer = {"id": wanted["id"], "type": "failed", "detail": repr(error)}
    print(json.dumps(answer), flush=True)
"""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._answers: dict[str, asyncio.Future[Frame]] = {}
        self._reading = asyncio.create_task(self._read())

    async def append(self, wanted: Frame) -> Frame:
        assert self._process.stdin
        answer = self._answers.setdefault(wanted["id"], asyncio.get_running_loop().create_future())
        self._process.stdin.write(json.dumps(wanted).encode() + b"\n")
        return await asyncio.shield(answer)

    async def _read(self) -> None:
        assert self._process.stdout
        async for line in self._process.stdout:
            frame = json.loads(line)
            if (answer := self._answers.pop(frame["id"], None)) and not answer.done():
                answer.set_result(frame)


@asynccontextmanager
async def clerk(stack: Stack) -> AsyncIterator[Clerk]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", Clerk.PROGRAM),
        cwd=stack.image.app,
        env=stack.env,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield Clerk(process)
    finally:
        process.kill()
        await process.wait()


class InPython(OnSocket):
    """Hears as the others do; what it says, a clerk appends. It is nobody's."""

    clerk: Clerk

    async def _ask(self, frame: Frame) -> Frame | None:
        with suppress(TimeoutError):
            async with asyncio.timeout(RETRY):
                answer = await self.clerk.append({name: frame[name] for name in ("id", "topic", "data")})
                if answer["type"] == "ack":
                    return answer
        await asyncio.sleep(AGAIN_SECONDS)
        return None


def told_to(clerk: Clerk) -> type[InPython]:
    """Those whose words this clerk appends."""
    return type("InPython", (InPython,), {"clerk": clerk})
