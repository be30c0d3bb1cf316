"""A client of `rooms.v1` for the tests: it remembers every frame, and shows them when a wait fails."""

import asyncio
import json
import secrets
import ssl
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

import contract

Frame = dict[str, Any]
BATCH = "rooms.v1.batch"
SECONDS = 30.0  # for whatever has to come at all: a machine may have twenty other things to do


def new_id() -> str:
    return secrets.token_hex(12)


def new_room(name: str = "room") -> str:
    """A room that no other test talks in."""
    return f"{name}-{secrets.token_hex(6)}"


def room_path(room: str, **query: object) -> str:
    return f"/ws/room/{quote(room, safe='')}/" + (f"?{urlencode(query)}" if query else "")


class Socket:
    """One connection. `frames` is what it has heard so far, arrays of a batch taken apart."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.frames: list[Frame] = []
        self.received: list[str | bytes] = []
        self._news = asyncio.Event()
        self._listener = asyncio.create_task(self._listen())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.leave()

    async def leave(self) -> None:
        await self.connection.close()
        await self._listener

    def cut(self) -> None:
        """Vanish without a close frame, as a phone in a tunnel does."""
        self.connection.transport.abort()

    async def send(self, frame: Frame | str | bytes) -> None:
        """What is to be refused is given as text."""
        text = json.dumps(frame, ensure_ascii=False) if isinstance(frame, dict) else frame
        if isinstance(frame, dict) and (protocol := contract.protocol_of(self.connection)):
            contract.said(protocol, frame)
        await self.connection.send(text)

    async def say(self, body: str, id: str | None = None) -> Frame:
        """Say it and return its ack."""
        id = id or new_id()
        await self.send({"type": "message", "id": id, "body": body})
        return await self.until(lambda frame: frame["type"] == "ack" and frame["id"] == id, f"the ack of {body!r}")

    async def hears(self, body: str, seconds: float = SECONDS) -> Frame:
        """The `message` frame with this body."""
        return await self.until(
            lambda frame: frame["type"] == "message" and frame["body"] == body,
            f"somebody saying {body!r}",
            seconds,
        )

    async def error(self, code: str, seconds: float = SECONDS) -> Frame:
        return await self.until(
            lambda frame: frame["type"] == "error" and frame["code"] == code, f"error {code}", seconds
        )

    async def until(self, fits: Callable[[Frame], object], what: str, seconds: float = SECONDS) -> Frame:
        """The first frame that fits, heard already or within so many seconds."""
        async with self._deadline(what, seconds):
            looked_at = 0
            while True:
                for frame in self.frames[looked_at:]:
                    if fits(frame):
                        return frame
                looked_at = len(self.frames)
                await self._more(what)

    async def of_type(self, kind: str, seconds: float = SECONDS) -> Frame:
        return await self.until(lambda frame: frame["type"] == kind, f"a {kind} frame", seconds)

    async def sees(self, change: str, person: Frame, seconds: float = SECONDS) -> Frame:
        """The frame, or the welcome, from which one learns that the person has `joined` or `left`.

        Who sees somebody of another process there hears what is ephemeral from it, too: the layer delivers by then.
        """
        return await self.until(
            lambda frame: (
                (frame["type"] == "presence" and person in frame[change])
                or (change == "joined" and frame["type"] == "welcome" and person in frame["members"])
            ),
            f"that {person['name']} has {change}",
            seconds,
        )

    async def next_after(self, count: int, what: str) -> Frame:
        """The frame after the first `count` ones."""
        async with self._deadline(what, SECONDS):
            while len(self.frames) <= count:
                await self._more(what)
        return self.frames[count]

    async def closed(self, seconds: float = SECONDS) -> int:
        """The code with which the server closes."""
        async with self._deadline("the server closing", seconds):
            await asyncio.shield(self._listener)
        assert self.connection.close_code is not None
        return self.connection.close_code

    async def pong(self) -> None:
        """Everything that was sent before has been handled when this returns."""
        seen = len(self.frames)
        await self.send({"type": "ping"})
        async with self._deadline("a pong", SECONDS):
            while not any(frame["type"] == "pong" for frame in self.frames[seen:]):
                await self._more("a pong")

    def messages(self) -> list[Frame]:
        """All messages in the order of hearing: first the welcome's, then the live ones."""
        heard: list[Frame] = []
        for frame in self.frames:
            heard += frame["messages"] if frame["type"] == "welcome" else []
            heard += [frame] if frame["type"] == "message" else []
        return heard

    def bodies(self) -> list[str]:
        return [message["body"] for message in self.messages()]

    @property
    def welcome(self) -> Frame:
        return self.frames[0]

    @property
    def you(self) -> Frame:
        person: Frame = self.welcome["you"]
        return person

    async def _listen(self) -> None:
        try:
            async for raw in self.connection:
                self.received.append(raw)
                decoded = json.loads(raw)
                self.frames += decoded if isinstance(decoded, list) else [decoded]
                self._news.set()
        except ConnectionClosed:
            pass
        finally:
            self._news.set()

    async def _more(self, what: str) -> None:
        if self._listener.done():
            self._listener.result()
            raise AssertionError(f"closed with {self.connection.close_code} before {what}; {self.heard()}")
        self._news.clear()
        await self._news.wait()

    def _deadline(self, what: str, seconds: float) -> "_Deadline":
        return _Deadline(self, what, seconds)

    def heard(self) -> str:
        lines = [json.dumps(frame, ensure_ascii=False)[:300] for frame in self.frames[-20:]]
        return f"of {len(self.frames)} frames the last are:\n  " + "\n  ".join(lines)


class _Deadline:
    """asyncio.timeout whose error says what was waited for and what was heard instead."""

    def __init__(self, socket: Socket, what: str, seconds: float) -> None:
        self.socket, self.what, self.seconds = socket, what, seconds
        self.timeout = asyncio.timeout(seconds)

    async def __aenter__(self) -> None:
        await self.timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.timeout.__aexit__(kind, error, trace)
        except TimeoutError:
            raise AssertionError(f"no {self.what} in {self.seconds} s; {self.socket.heard()}") from None


async def dial(
    url: str,
    *,
    batch: bool = False,
    subprotocols: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
    port: int | None = None,
    tls: ssl.SSLContext | None = None,
    seconds: float = SECONDS,
) -> ClientConnection:
    """A handshake; websockets.exceptions.InvalidStatus when the server refuses it.

    With `port` it is done with whoever listens there on loopback, whatever host the URL names.
    """
    return await connect(
        url,
        **({"host": "127.0.0.1", "port": port} if port else {}),
        **({"ssl": tls} if tls else {}),
        subprotocols=subprotocols or ([BATCH] if batch else None),  # type: ignore[arg-type]
        additional_headers=headers,
        compression=None,
        ping_interval=None,
        open_timeout=seconds,
        close_timeout=2,
        max_size=2**20,
        proxy=None,
        create_connection=contract.Checked,
    )


async def enter(
    base: str,
    room: str,
    *,
    since: object = None,
    epoch: object = None,
    batch: bool = False,
    headers: Mapping[str, str] | None = None,
    port: int | None = None,
    tls: ssl.SSLContext | None = None,
) -> Socket:
    """Enter a room and wait for its welcome. `base` is like ws://127.0.0.1:8000."""
    query = {key: value for key, value in {"since": since, "epoch": epoch}.items() if value is not None}
    socket = Socket(await dial(base + room_path(room, **query), batch=batch, headers=headers, port=port, tls=tls))
    first = await socket.next_after(0, "a welcome")
    assert first["type"] == "welcome", first
    return socket


async def meet(one: Socket, other: Socket) -> None:
    """Each sees the other in the room: from here on what is ephemeral reaches both, also between two processes."""
    await asyncio.gather(one.sees("joined", other.you), other.sees("joined", one.you))
