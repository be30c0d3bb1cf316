"""Who comes while there is no descriptor waits until somebody leaves."""

import os
import socket
import sys
from collections.abc import Iterator

import pytest

from realtime.listening import close_queue
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


@pytest.mark.usefixtures("crowd")
async def test_those_who_have_come_are_taken_in_before_it_closes(listener: socket.socket) -> None:
    inside: list[socket.socket] = []
    acceptor = Acceptor(listener, lambda connection, _: inside.append(connection), float("inf"))
    assert acceptor.finish()
    assert len(inside) == 2 * ROOM + 2
    assert listener.fileno() == -1
    for connection in inside:
        connection.close()


@pytest.mark.usefixtures("crowd")
async def test_those_for_whom_there_is_no_descriptor_yet_are_waited_for(listener: socket.socket) -> None:
    lowest = os.dup(0)
    os.close(lowest)
    came: list[socket.socket] = []
    acceptor = Acceptor(listener, lambda connection, _: came.append(connection), lowest + ROOM)
    assert not acceptor.finish()
    assert len(came) == ROOM
    leaving = iter(came)  # those that come meanwhile, too
    while not acceptor.finish():
        next(leaving).close()
    assert len(came) == 2 * ROOM + 2
    assert listener.fileno() == -1
    for connection in leaving:
        connection.close()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's packet filter is Linux's")
def test_nobody_can_connect_to_a_listener_whose_queue_is_closed(listener: socket.socket) -> None:
    close_queue(listener)
    with pytest.raises(TimeoutError):
        socket.create_connection(listener.getsockname(), timeout=0.2)
    with pytest.raises(BlockingIOError):
        listener.accept()
