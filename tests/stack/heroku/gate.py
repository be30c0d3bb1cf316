"""The one TLS listener behind all of Heroku's names: the Host decides who answers."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path

from stack.heroku.requests import HEAD_BYTES, Head, answer, read_head

Answerer = Callable[[Head, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Gate:
    def __init__(self, certificate: Path, key: Path, answerers: Mapping[str, Answerer]) -> None:
        """`answerers` are found by the name's end, the first that fits."""
        self._answerers = answerers
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)

    async def listen(self, listener: socket.socket) -> asyncio.Server:
        return await asyncio.start_server(self._serve, sock=listener, ssl=self._context, limit=HEAD_BYTES)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await read_head(reader)
            host = head.get("host").partition(":")[0]
            for name, serve in self._answerers.items():
                if host.endswith(name):
                    await serve(head, reader, writer)
                    break
            else:
                writer.write(answer(404, f"Nobody answers for {host}."))
            with suppress(OSError):
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()
