"""Posts to push services, whose addresses browsers give: anybody may give any address.

So only https to the public internet is dialled, unless PUSH_PRIVATE=1: an address is looked at after its name has been
resolved, redirects are not followed, what is answered is not read, and everything ends after some seconds.
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings

SECONDS: Final = 10
HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
NAT64: Final = ipaddress.ip_network("64:ff9b::/96")  # the rest is an IPv4 address


class Letter(NamedTuple):
    endpoint: str
    body: bytes
    headers: dict[str, str]


class Answer(NamedTuple):
    """`status` 0: there was none. `after`: seconds that the push service asks to wait for."""

    status: int
    after: int = 0


def may_be_dialled(endpoint: str) -> bool:
    """What can be said of it before its name is resolved."""
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError:
        return False
    host = parts.netloc.lower().rpartition(":")[0] if port is not None else parts.netloc.lower()
    if not endpoint.isascii() or not endpoint.isprintable() or " " in endpoint or not HOST.fullmatch(host):
        return False
    if settings.PUSH_PRIVATE:
        return parts.scheme in {"http", "https"}
    literal = host.strip("[]")
    try:
        public = is_public(literal)
    except ValueError:
        public = "." in host
    return parts.scheme == "https" and port in {None, 443} and public


def is_public(address: str) -> bool:
    """Whether it is on the internet. Raises ValueError for what is no address."""
    found: Any = ipaddress.ip_address(address.partition("%")[0])
    if found.version == 6:  # what carries an address of IPv4 is as good as that
        if found in NAT64:
            found = ipaddress.ip_address(found.packed[-4:])
        elif found.sixtofour or found.teredo:
            return False
        else:
            found = found.ipv4_mapped or found
    return bool(found.is_global and not found.is_multicast)


def post(letters: Sequence[Letter]) -> list[Answer]:
    """In the order of the letters; many at once, and none waits for another."""
    return asyncio.run(_post(letters)) if letters else []


async def _post(letters: Sequence[Letter]) -> list[Answer]:
    import aiohttp  # megabytes, and only where something is pushed

    class Public(aiohttp.ThreadedResolver):
        async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_UNSPEC) -> Any:
            found = await super().resolve(host, port, family)
            if not settings.PUSH_PRIVATE and not all(is_public(one["host"]) for one in found):
                raise OSError("an address that is not on the internet")
            return found

    async def one(letter: Letter) -> Answer:
        if not may_be_dialled(letter.endpoint):
            return Answer(410)
        try:
            async with session.post(
                letter.endpoint, data=letter.body, headers=letter.headers, allow_redirects=False
            ) as answer:
                after = answer.headers.get("Retry-After", "")
                return Answer(answer.status, int(after) if re.fullmatch("[0-9]{1,6}", after) else 0)
        except (aiohttp.ClientError, OSError, ValueError):  # the last: what it takes for no address
            return Answer(0)

    # Each dials by itself: a slow one would hold a place in a pool.
    connector = aiohttp.TCPConnector(resolver=Public(), limit=0, use_dns_cache=False, force_close=True)
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        return await asyncio.gather(*map(one, letters))
