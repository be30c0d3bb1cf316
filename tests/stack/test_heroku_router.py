"""The rules of the double's router, with seconds short enough to wait for; and where our own stand beside Heroku's."""

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from realtime.limits import PING_SECONDS, PONG_SECONDS
from stack.heroku.requests import read_head
from stack.heroku.router import FIRST_BYTE_SECONDS, NO_RESPONSE, SILENCE_SECONDS, Router

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Dyno = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
LONG = 60.0
REQUEST = b"GET / HTTP/1.1\r\nHost: rooms\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n"
UPGRADE = REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"


@asynccontextmanager
async def asked(dyno: Dyno, request: bytes, first_byte: float = LONG, silence: float = LONG) -> AsyncIterator[Streams]:
    """A client's connection through a router to a dyno, on which it has asked for something."""
    async with await asyncio.start_server(dyno, "127.0.0.1", 0) as behind:
        router = Router(lambda: behind.sockets[0].getsockname(), first_byte, silence)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await router.serve(await read_head(reader), reader, writer)
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as edge:
            reader, writer = await asyncio.open_connection(*edge.sockets[0].getsockname())
            writer.write(request)
            yield reader, writer
            writer.close()


async def test_a_dyno_that_says_nothing_is_answered_for() -> None:
    gone = asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        gone.set()

    async with asked(mute, REQUEST, first_byte=0.3) as (reader, _):
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"H12" in answer
        await asyncio.wait_for(gone.wait(), 10)


async def ending(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_head(reader)
    writer.close()


async def resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_head(reader)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@pytest.mark.parametrize("dyno", [ending, resetting])
async def test_a_dyno_that_ends_the_connection_is_answered_for(dyno: Dyno) -> None:
    async with asked(dyno, UPGRADE) as (reader, _):
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert NO_RESPONSE.encode() in answer


async def test_silence_on_an_open_socket_cuts_it_on_both_sides() -> None:
    gone = asyncio.Event()

    async def quiet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(SWITCHED)
        await reader.read()
        gone.set()

    async with asked(quiet, UPGRADE, silence=0.3) as (reader, _):
        assert await reader.read() == SWITCHED
        await asyncio.wait_for(gone.wait(), 10)


async def test_whoever_says_something_in_time_is_never_cut() -> None:
    silence, count = 1.6, 6

    async def talkative(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(SWITCHED)
        for _ in range(count):
            await asyncio.sleep(silence / 4)
            writer.write(b".")
        writer.close()

    began = time.monotonic()
    async with asked(talkative, UPGRADE, silence=silence) as (reader, _):
        assert await reader.read() == SWITCHED + count * b"."
    assert time.monotonic() - began > silence, "altogether it was longer than the silence that cuts"


async def test_the_client_counts_as_much_as_the_dyno() -> None:
    silence, count = 1.6, 6
    heard = asyncio.get_running_loop().create_future()

    async def listener(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(SWITCHED)
        heard.set_result(await reader.readexactly(count))

    async with asked(listener, UPGRADE, silence=silence) as (reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(count):
            await asyncio.sleep(silence / 4)
            writer.write(b".")
        assert await asyncio.wait_for(heard, 10) == count * b"."


async def test_the_dyno_is_told_who_asks_behind_what_the_client_claims() -> None:
    heads = asyncio.get_running_loop().create_future()

    async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.set_result(await read_head(reader))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    async with asked(answering, REQUEST) as (reader, _):
        assert b" 204 " in await reader.read()
    head = await heads
    assert head.get("x-forwarded-for") == "203.0.113.7, 127.0.0.1"
    assert head.get("x-forwarded-proto") == "https"


def test_the_double_waits_as_long_as_heroku_and_our_server_speaks_before() -> None:
    assert (FIRST_BYTE_SECONDS, SILENCE_SECONDS) == (30, 55)
    assert PING_SECONDS + PONG_SECONDS < SILENCE_SECONDS
