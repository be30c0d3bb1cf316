"""The echo, and the 64 KiB that no frame exceeds."""

import os
from contextlib import suppress

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from client import Socket, dial, enter, new_room
from servers.stack import Stack

MOST = 65_536


@pytest.mark.parametrize(
    "payload", ["hello", "你好 🍵", "", b"\0\xff", b"", "x" * MOST, bytes(MOST), "茶" * (MOST // 3)]
)
async def test_the_echo_returns_what_it_got(stack: Stack, payload: str | bytes) -> None:
    echo = await dial(stack.ws_url + "/ws/echo/")
    async with echo:
        await echo.send(payload)
        assert await echo.recv() == payload


async def test_the_echo_keeps_the_order_of_many(stack: Stack) -> None:
    frames = [os.urandom(size) for size in range(0, 6_000, 60)]
    async with await dial(stack.ws_url + "/ws/echo/") as echo:
        for frame in frames:
            await echo.send(frame)
        assert [await echo.recv() for _ in frames] == frames


@pytest.mark.parametrize("payload", ["x" * (MOST + 1), bytes(MOST + 1), "茶" * (MOST // 3 + 1), bytes(16 * MOST)])
async def test_one_byte_more_is_answered_1009(stack: Stack, payload: str | bytes) -> None:
    assert await close_code(await dial(stack.ws_url + "/ws/echo/"), payload) == 1009


async def test_in_a_room_the_same_limit_holds(stack: Stack) -> None:
    room = new_room()
    async with await enter(stack.ws_url, room) as alice:
        await alice.send('{"type":"ping"}'.ljust(MOST))
        await alice.of_type("pong")
        await alice.send('{"type":"ping"}'.ljust(MOST + 1))
        assert await alice.closed() == 1009


async def test_a_message_in_pieces_counts_as_one(stack: Stack) -> None:
    async with await dial(stack.ws_url + "/ws/echo/") as echo:
        await echo.send(iter(["x" * 30_000, "y" * 35_536]))
        assert await echo.recv() == "x" * 30_000 + "y" * 35_536
    assert await close_code(await dial(stack.ws_url + "/ws/echo/"), ["x" * 30_000, "y" * 35_537]) == 1009


async def test_text_that_is_no_utf8_is_answered_1007(stack: Stack) -> None:
    alice = Socket(await dial(stack.ws_url + "/ws/echo/"))
    await alice.connection.send(b"\xff\xfe", text=True)
    assert await alice.closed() == 1007


async def close_code(connection: ClientConnection, payload: str | bytes | list[str]) -> int | None:
    with suppress(ConnectionClosed):
        await connection.send(payload)
    with pytest.raises(ConnectionClosed):
        await connection.recv()
    return connection.close_code
