"""Who comes while there is no descriptor waits until somebody leaves."""

import os
import socket
from collections.abc import Iterator

import pytest

from realtime.servers import acceptor as acceptor_module
from realtime.servers.acceptor import Acceptor
from unit.realtime.fakes import until

ROOM = 2  # connections, and the one that tells that there is no room for another
PAUSES = 20


class Counting(Acceptor):
    looked = 0

    def _go_on(self) -> None:
        self.looked += 1
        super()._go_on()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


@pytest.fixture
def crowd(listener: socket.socket) -> Iterator[list[socket.socket]]:
    crowd = [socket.create_connection(listener.getsockname()) for _ in range(2 * ROOM + 2)]
    yield crowd
    for client in crowd:
        client.close()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acceptor_module, "PAUSE_SECONDS", 0.001)


@pytest.mark.usefixtures("crowd")
async def test_nobody_is_accepted_until_somebody_leaves(listener: socket.socket) -> None:
    lowest = os.dup(0)
    os.close(lowest)
    inside: list[socket.socket] = []
    acceptor = Counting(listener, lambda connection, _: inside.append(connection), lowest + ROOM)
    await until(lambda: acceptor.looked >= PAUSES)
    assert len(inside) == ROOM + 1
    inside.pop().close()
    inside.pop().close()
    await until(lambda: len(inside) == ROOM + 1)
    looked = acceptor.looked
    await until(lambda: acceptor.looked >= looked + PAUSES)
    assert len(inside) == ROOM + 1
    acceptor.close()
    for connection in inside:
        connection.close()


@pytest.mark.usefixtures("crowd")
async def test_it_can_be_closed_while_it_waits(listener: socket.socket) -> None:
    acceptor = Counting(listener, lambda connection, _: connection.close(), ceiling=0)
    await until(lambda: acceptor.looked >= PAUSES)
    acceptor.close()
    assert acceptor._later
    assert acceptor._later.cancelled()
