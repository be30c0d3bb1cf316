"""Bodies that are too big are refused by the server itself, as early as can be, and never held as a whole."""

from collections.abc import Callable, Iterator

import pytest

from servers.small import Server, until_it_ends

MEGABYTES = 1_024  # of the kernel's kB
MOST = 131_072
HUGE = 200 * 2**20
POST = b"POST /x HTTP/1.1\r\nHost: localhost\r\n"
CHUNK = b"10000\r\n" + bytes(65_536) + b"\r\n"


@pytest.fixture(
    params=[b"Content-Length: %d\r\n\r\n" % HUGE, b"Transfer-Encoding: chunked\r\n\r\n"], ids=["length", "chunks"]
)
def head(request: pytest.FixtureRequest) -> bytes:
    return POST + bytes(request.param)


def test_a_body_of_200_mb_costs_nothing_and_is_answered_413(start: Callable[..., Server], head: bytes) -> None:
    server = start()
    server.get()
    before = server.memory()
    with server.line() as mallory:
        sent = send_until_refused(mallory, head, CHUNK)
        assert sent < HUGE
        assert server.most_memory(0.5) - before < 4 * MEGABYTES
    assert server.counted('realtime_requests_refused_total{status="413"}') == 1


def test_a_hundred_bodies_that_are_refused_leave_little_behind(start: Callable[..., Server]) -> None:
    server = start()
    server.get()
    before = server.memory()
    for _ in range(100):
        with server.line() as mallory:
            mallory.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n" + 4 * CHUNK)
            assert mallory.recv(1_024).startswith(b"HTTP/1.1 413 ")
    assert server.memory() - before < 8 * MEGABYTES


def test_the_length_alone_is_enough_to_refuse_it(start: Callable[..., Server]) -> None:
    server = start()
    with server.line() as mallory:
        mallory.sendall(POST + b"Content-Length: %d\r\n\r\n" % (MOST + 1))
        assert until_it_ends(mallory).startswith(b"HTTP/1.1 413 ")


def test_who_asks_before_sending_is_not_invited(start: Callable[..., Server]) -> None:
    server = start()
    with server.line() as mallory:
        mallory.sendall(POST + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % (MOST + 1))
        assert b" 100 " not in until_it_ends(mallory)


@pytest.mark.parametrize("more", [0, 1])
def test_chunks_are_counted_to_the_byte(start: Callable[..., Server], more: int) -> None:
    server = start()
    with server.line() as alice:
        alice.sendall(POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
        alice.sendall(2 * CHUNK + b"1\r\nx\r\n" * more + b"0\r\n\r\n")
        assert until_it_ends(alice).startswith(b"HTTP/1.1 %d " % (413 if more else 200))


@pytest.mark.parametrize(("pieces", "status"), [(1_000, 200), (2_000, 413)])
def test_a_body_of_crumbs_is_refused_too(start: Callable[..., Server], pieces: int, status: int) -> None:
    server = start()
    with server.line() as mallory:
        mallory.sendall(POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
        mallory.sendall(b"1\r\nx\r\n" * pieces + b"0\r\n\r\n")
        assert until_it_ends(mallory).startswith(b"HTTP/1.1 %d " % status)


def test_who_sends_all_of_it_before_reading_still_learns_why(start: Callable[..., Server], head: bytes) -> None:
    server = start()
    with server.line() as alice:
        alice.sendall(head + 32 * CHUNK)
        assert until_it_ends(alice).startswith(b"HTTP/1.1 413 ")


def send_until_refused(line: object, head: bytes, piece: bytes) -> int:
    """How many bytes were sent before the server ended the connection."""
    sent = 0
    try:
        for data in pieces(head, piece):
            line.sendall(data)  # type: ignore[attr-defined]
            sent += len(data)
    except OSError:
        pass
    return sent


def pieces(head: bytes, piece: bytes) -> Iterator[bytes]:
    yield head
    for _ in range(HUGE // len(piece)):
        yield piece
