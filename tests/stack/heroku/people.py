"""The people outside: for them, too, the names of Heroku's apps lead to the router of this machine."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import browser
from stack.heroku.app import App
from stack.heroku.double import DOMAIN, Heroku
from stack.heroku.inside import LOOPBACK


class Site:
    """Where people find an app."""

    def __init__(self, app: App, heroku: Heroku) -> None:
        self.base_url = f"https://{app.domain}:{heroku.port}"
        self.ws_url = f"wss://{app.domain}:{heroku.port}"


@contextmanager
def coming_from(address: str) -> Iterator[None]:
    """Who dials in this event loop has another of loopback's addresses than everybody else."""
    loop = asyncio.get_running_loop()
    connect = loop.create_connection

    async def from_there(*arguments: Any, **options: Any) -> Any:
        return await connect(*arguments, **options, local_addr=(address, 0))

    with patch.object(loop, "create_connection", from_there):
        yield


@contextmanager
def outside(heroku: Heroku) -> Iterator[None]:
    """Sockets and pages of this process, which trusts the authority, and its browsers, which trust anybody."""
    resolve = socket.getaddrinfo

    def lead(host: Any, *arguments: Any, **options: Any) -> Any:
        return resolve(LOOPBACK if str(host).endswith(DOMAIN) else host, *arguments, **options)

    flags = [f"--host-resolver-rules=MAP *.{DOMAIN} {LOOPBACK}", "--ignore-certificate-errors"]
    with (
        patch.object(socket, "getaddrinfo", lead),
        patch.object(browser, "ARGUMENTS", [*browser.ARGUMENTS, *flags]),
        patch.dict(os.environ, {"SSL_CERT_FILE": str(heroku.authority.certificate)}),
    ):
        yield
