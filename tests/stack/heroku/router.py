"""Heroku's router: TLS ends here, one dyno gets each request, 30 s to the first byte, then 55 s of silence.

It appends the client to X-Forwarded-For, sets the other X-Forwarded-* and hands over a connection that is
upgraded as it is. While no dyno listens yet, requests wait for one.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from stack.heroku.requests import Head, answer, read_body

FIRST_BYTE_SECONDS = 30
SILENCE_SECONDS = 55
BOOT_SECONDS = 75
NO_RESPONSE = "Connection closed without response (H13)."

Address = tuple[str, int]


class Router:
    """`where` returns the address of a dyno that serves, or None. The seconds are Heroku's where nobody says others."""

    def __init__(
        self,
        where: Callable[[], Address | None],
        first_byte: float = FIRST_BYTE_SECONDS,
        silence: float = SILENCE_SECONDS,
    ) -> None:
        self._where, self._first_byte, self._silence = where, first_byte, silence

    async def serve(self, head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = await read_body(head, reader)
        dyno = await self._dyno()
        if dyno is None:
            writer.write(answer(503, "No web dyno runs (H20)."))
            return
        from_dyno, to_dyno = dyno
        try:
            forward(head, writer.get_extra_info("peername")[0])
            to_dyno.write(head.encode() + body)
            try:
                async with asyncio.timeout(self._first_byte):
                    first = await from_dyno.read(65536)
            except TimeoutError:
                writer.write(answer(503, "Request timeout (H12)."))
                return
            except OSError:  # a reset
                first = b""
            if not first:
                writer.write(answer(503, NO_RESPONSE))
                return
            writer.write(first)
            await join((reader, to_dyno), (from_dyno, writer), self._silence, both_ways=upgraded(head))
        finally:
            to_dyno.close()

    async def _dyno(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        deadline = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < deadline:
            if address := self._where():
                with suppress(OSError):
                    return await asyncio.open_connection(*address)
            await asyncio.sleep(0.1)
        return None


def upgraded(head: Head) -> bool:
    return "upgrade" in head.get("connection").lower()


def forward(head: Head, client: str) -> None:
    head.set("x-forwarded-for", ", ".join(filter(None, [head.get("x-forwarded-for"), client])))
    head.set("x-forwarded-proto", "https")
    head.set("x-forwarded-port", "443")
    head.set("via", "1.1 heroku-router")
    if not upgraded(head):
        head.set("connection", "close")


Way = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def join(there: Way, back: Way, silence: float, *, both_ways: bool) -> None:
    """Until one side ends, or neither says anything for too long."""
    last = [time.monotonic()]

    async def carry(way: Way) -> None:
        reader, writer = way
        with suppress(OSError):
            while data := await reader.read(65536):
                last[0] = time.monotonic()
                writer.write(data)
                await writer.drain()

    async def watch() -> None:
        while (left := last[0] + silence - time.monotonic()) > 0:
            await asyncio.sleep(left)

    ways: list[Awaitable[None]] = [carry(back), watch(), *([carry(there)] if both_ways else [])]
    tasks = [asyncio.ensure_future(each) for each in ways]
    _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    with suppress(OSError):
        await back[1].drain()
