"""A channel layer over Postgres' LISTEN and NOTIFY: several processes without a Redis.

    CHANNEL_LAYERS = {"default": {"BACKEND": "realtime.postgres.PostgresChannelLayer"}}

It needs no table, and stores nothing: what is sent while Postgres is away is lost, as in Redis' pub/sub. Each process
hears what all others say and takes what its own groups are told, which is right for a few processes, and not for many.
It takes two connections in each. PgBouncer carries it in session mode alone.
"""

import asyncio
import contextlib
import secrets
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any, Final

import msgpack
import psycopg
from channels.layers import BaseChannelLayer
from django.db import connections
from psycopg import AsyncConnection, sql

from realtime import registry
from realtime.limits import LAYER_RETRY_SECONDS, LAYER_SECONDS, PING_SECONDS
from realtime.outage import Outage
from realtime.registry import ended

PIECE_BYTES: Final = 7_600  # of a message in one notification, which has 7,999 with the words in front
TOGETHER: Final = 100  # notifications in one transaction: while it is committed, nobody else's is
SAY: Final = "SELECT pg_notify(%s, said) FROM unnest(%s::text[]) AS said"


class PostgresChannelLayer(BaseChannelLayer):
    """`prefix` is the name that notifications have in the database, `using` the database's in DATABASES."""

    extensions: Final = ["groups"]

    def __init__(self, prefix: str = "asgi", using: str = "default", capacity: int = 10_000, **others: Any) -> None:
        super().__init__(capacity=capacity, **others)
        self.prefix, self.using = prefix, using

    async def new_channel(self, prefix: str = "specific") -> str:
        channel = f"{prefix}.{secrets.token_hex(16)}"
        await self._line().open(channel)
        return channel

    async def receive(self, channel: str) -> dict[str, Any]:
        line = self._line()
        if channel not in line.channels:
            await line.open(channel)
        try:
            return await line.channels[channel].get()
        except asyncio.CancelledError:  # as Channels has it, the consumer ends
            line.close_channel(channel)
            raise

    async def send(self, channel: str, message: dict[str, Any]) -> None:
        await self._say([*pieces(channel, message)])

    async def group_add(self, group: str, channel: str) -> None:
        self.require_valid_group_name(group)
        line = self._line()
        await line.listening()
        line.groups.setdefault(group, set()).add(channel)

    async def group_discard(self, group: str, channel: str) -> None:
        self._line().leave(group, channel)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.require_valid_group_name(group)
        await self.group_send_all([(group, message)])

    async def group_send_all(self, messages: Sequence[tuple[str, dict[str, Any]]]) -> None:
        """Each to its group, in order, by as few transactions as that takes."""
        said: list[str] = []
        for group, message in messages:
            said += pieces(f"group:{group}", message)
            if len(said) >= TOGETHER:
                await self._say(said)
                said = []
        if said:
            await self._say(said)

    async def _say(self, said: list[str]) -> None:
        """In a loop where nobody listens, such as async_to_sync makes one for a call, over a connection of its own."""
        if self in registry.here():
            await self._line().say(said)
        else:
            async with connected(self.using) as connection:
                await connection.execute(SAY, [self.prefix, said])

    def _line(self) -> "Line":
        return registry.here().get(self, lambda: Line(self.prefix, self.using, self.capacity))


class Line:
    """One per loop: who listens in it, a connection that listens, and one that speaks."""

    def __init__(self, prefix: str, using: str, capacity: int) -> None:
        self.channels: dict[str, asyncio.Queue[dict[str, Any]]] = {}
        self.groups: dict[str, set[str]] = {}
        self._prefix, self._using, self._capacity = prefix, using, capacity
        self._listens = asyncio.Event()
        self._speaking = asyncio.Lock()
        self._speaker: AsyncConnection[Any] | None = None
        self._outage = Outage("LISTEN in Postgres")
        self._whole: list[str] = []  # the pieces so far of the message that comes in
        self._task = asyncio.create_task(self._listen())

    async def open(self, channel: str) -> None:
        self.channels[channel] = asyncio.Queue(self._capacity)
        await self.listening()

    def close_channel(self, channel: str) -> None:
        self.channels.pop(channel, None)
        for group in [group for group, channels in self.groups.items() if channel in channels]:
            self.leave(group, channel)

    def leave(self, group: str, channel: str) -> None:
        channels = self.groups.get(group, set())
        channels.discard(channel)
        if not channels:
            self.groups.pop(group, None)

    async def listening(self) -> None:
        """Returns when what is said from now on is heard."""
        async with asyncio.timeout(LAYER_SECONDS):
            await self._listens.wait()

    async def say(self, said: list[str]) -> None:
        async with self._speaking:
            if self._speaker is None or self._speaker.closed:
                self._speaker = await connect(self._using)
            try:
                await self._speaker.execute(SAY, [self._prefix, said])
            except BaseException:  # nobody knows in which state it is
                await self._speaker.close()
                raise

    async def finish(self) -> None:
        """Whoever speaks waits until that is done."""

    async def close(self) -> None:
        await ended([self._task])
        if self._speaker is not None:
            await self._speaker.close()

    # --- Listening -----------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """As long as the loop runs. What is missed in between is lost."""
        while True:
            try:
                async with connected(self._using) as connection:
                    await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._prefix)))
                    self._listens.set()
                    self._outage.answered()
                    while True:
                        async for notification in connection.notifies(timeout=PING_SECONDS):
                            self._take(notification.payload)
                        async with asyncio.timeout(LAYER_SECONDS):
                            await connection.execute("SELECT 1")  # whether it is still there
            except (psycopg.Error, OSError) as error:
                self._outage.failed(error)
            finally:
                self._listens.clear()
            await asyncio.sleep(LAYER_RETRY_SECONDS)

    def _take(self, said: str) -> None:
        """A piece; a message's come one after another, since they are said in one transaction."""
        to, id, place, piece = said.split(" ", 3)
        if to not in self.channels and to.removeprefix("group:") not in self.groups:
            return
        part, parts = map(int, place.split("/"))
        if part == 1:
            self._whole = [id]
        elif self._whole[:1] != [id] or len(self._whole) != part:  # its begin was before we listened
            return
        self._whole.append(piece)
        if part == parts:
            message = msgpack.unpackb(b64decode("".join(self._whole[1:])))
            for channel in self._addressed(to):
                with contextlib.suppress(asyncio.QueueFull):  # who takes nothing misses the rest
                    self.channels[channel].put_nowait(message)

    def _addressed(self, to: str) -> Iterable[str]:
        found = {to} if to in self.channels else self.groups.get(to.removeprefix("group:"), set())
        return found & self.channels.keys()


def pieces(to: str, message: dict[str, Any]) -> Iterator[str]:
    """The message as notifications: whom it is for, its id, which of how many pieces, and the piece."""
    text = b64encode(msgpack.packb(message)).decode()
    parts = -(-len(text) // PIECE_BYTES)
    id = secrets.token_hex(6)  # which also keeps Postgres from taking two of the same as one
    for part in range(parts):
        yield f"{to} {id} {part + 1}/{parts} {text[part * PIECE_BYTES : (part + 1) * PIECE_BYTES]}"


@contextlib.asynccontextmanager
async def connected(using: str) -> AsyncIterator[AsyncConnection[Any]]:
    connection = await connect(using)
    try:
        yield connection
    finally:
        await connection.close()


async def connect(using: str) -> AsyncConnection[Any]:
    """To the database of that name, outside of Django's connections and their pool."""
    wanted = connections[using].get_connection_params()
    for name in ("cursor_factory", "context"):  # Django's, for a connection of its own
        wanted.pop(name, None)
    connection = await AsyncConnection.connect(**{"connect_timeout": int(LAYER_SECONDS)} | wanted, autocommit=True)
    await connection.execute("SET synchronous_commit TO off")  # nothing is stored
    return connection
