"""What an idle socket takes: so little that thousands fit a small machine, and no more than it took before."""

import asyncio
import re
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect

from client import new_room, room_path
from servers.app import Server
from servers.stack import Stack

FIRST, SECOND = 100, 400  # the first ones make the process grow by what it needs once
AT_ONCE = 20
KILOBYTES_EACH = 28  # with 3,000 sockets it is some 20: with so few, pages that are given in steps weigh more


async def test_an_idle_socket_in_a_room_takes_few_kilobytes(stack: Stack) -> None:
    server, room = stack.ws[0], new_room()
    crowd: list[ClientConnection] = []
    sizes = []
    for total in (FIRST, SECOND):
        while len(crowd) < total:
            crowd += await asyncio.gather(*(enter(server, room) for _ in range(AT_ONCE)))
        sizes.append(kilobytes(server))
    for member in crowd:
        member.transport.abort()
    assert (sizes[1] - sizes[0]) / (SECOND - FIRST) < KILOBYTES_EACH


async def enter(server: Server, room: str) -> ClientConnection:
    member = await connect(server.ws_url + room_path(room), compression=None, ping_interval=None, open_timeout=60)
    await member.recv()
    return member


def kilobytes(server: Server) -> int:
    """The process's own memory, without what it shares with others that start and end meanwhile."""
    found = re.search(r"^Pss_Anon:\s+(\d+) kB", Path(f"/proc/{server.pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert found
    return int(found[1])
