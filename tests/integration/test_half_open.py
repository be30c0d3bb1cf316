"""Requests that never come as a whole: each ends at a deadline that no byte moves, and they take nobody's place."""

import itertools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest

from servers.small import HANDSHAKE, Server, until_it_ends

HEAD = b"POST /x HTTP/1.1\r\nHost: localhost\r\n"
WITH_BODY = HEAD + b"Content-Length: 1000\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
PAGE = b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n"
REFUSED_LATE = 'realtime_requests_refused_total{status="408"}'

# How each begins, and what comes again and again behind it.
HALVES = {
    "half a request line": (b"GET /ws/ec", b""),
    "a request line": (b"GET /ws/echo/ HTTP/1.1\r\n", b""),
    "half a head": (HEAD, b""),
    "half a handshake": (HANDSHAKE.format(path="/ws/echo/").encode()[:-2], b""),
    "a head by drips": (HEAD + b"X: ", b"x"),
    "headers by drips": (HEAD, b"X: y\r\n"),
    "no body": (WITH_BODY, b""),
    "half a body": (WITH_BODY + b"body=", b""),
    "a body by drips": (WITH_BODY, b"x"),
    "half a chunk": (CHUNKED + b"10\r\nhello", b""),
    "chunks by drips": (CHUNKED, b"1\r\nx\r\n"),
}


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def hasty(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server that gives a request one second to come as a whole."""
    server = Server(request.param, "REQUEST_SECONDS=1")
    server.start()
    yield server
    server.kill()


def test_half_a_request_is_told_so_in_time(hasty: Server) -> None:
    before = hasty.counted(REFUSED_LATE)
    with ThreadPoolExecutor(len(HALVES)) as side_by_side:
        said = side_by_side.map(lambda half: said_to(hasty, half[0], drip=half[1]), HALVES.values())
        answers = dict(zip(HALVES, said, strict=True))
    assert {half: answer[:13] for half, answer in answers.items()} == dict.fromkeys(HALVES, b"HTTP/1.1 408 ")
    assert hasty.counted("realtime_unfinished") == 0
    assert hasty.counted(REFUSED_LATE) == before + len(HALVES)


def test_who_says_nothing_is_sent_away_without_a_word(hasty: Server) -> None:
    with hasty.line() as silent:
        assert until_it_ends(silent) == b""


def test_who_says_empty_lines_says_nothing(hasty: Server) -> None:
    said_to(hasty, drip=b"\r\n")
    assert hasty.counted("realtime_unfinished") == 0


def test_a_connection_that_was_kept_has_the_same_deadline_for_its_next_request(hasty: Server) -> None:
    said = said_to(hasty, PAGE, b"GET /", drip=b"x")
    assert said.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in said


def test_a_connection_that_is_kept_for_nothing_ends(start: Callable[..., Server]) -> None:
    server = start("KEEP_ALIVE_SECONDS=1")
    with server.line() as alice:
        alice.sendall(PAGE)
        assert until_it_ends(alice).count(b"HTTP/1.1 ") == 1


def test_an_application_that_does_not_answer_is_a_503(start: Callable[..., Server]) -> None:
    server = start("ANSWER_SECONDS=1")
    assert said_to(server, PAGE.replace(b"/x", b"/never")).startswith(b"HTTP/1.1 503 ")
    assert "Traceback" not in server.output()


def test_an_application_that_neither_accepts_nor_refuses_is_a_503(start: Callable[..., Server]) -> None:
    server = start("HANDSHAKE_SECONDS=1")
    assert said_to(server, HANDSHAKE.format(path="/slow/").encode()).startswith(b"HTTP/1.1 503 ")


def test_an_answer_that_takes_longer_than_its_request_may_is_given(start: Callable[..., Server]) -> None:
    server = start("REQUEST_SECONDS=2")
    assert server.get("/slower") == 200


def test_halves_are_counted_and_the_oldest_make_room(start: Callable[..., Server]) -> None:
    server = start("MAX_UNFINISHED=20")
    with ExitStack() as stack:
        lines = [stack.enter_context(server.line()) for _ in range(30)]
        for line in lines:
            with suppress(ConnectionError):  # the first may have made room already
                line.sendall(HEAD)
        until(lambda: server.counted("realtime_unfinished_dropped_total") >= 10)
        assert server.counted("realtime_unfinished") <= 20
        for line in lines[:10]:
            assert ended(line)
        with server.handshaken("/ws/echo/"):
            assert server.get() == 200


def test_the_halves_of_one_address_make_room_for_each_other(start: Callable[..., Server]) -> None:
    server = start("SOCKETS_PER_ADDRESS=5")
    with ExitStack() as stack:
        lines = [stack.enter_context(server.line()) for _ in range(10)]
        until(lambda: server.counted("realtime_unfinished_dropped_total") >= 5)
        assert ended(lines[0])
        assert server.counted("realtime_unfinished") <= 5
        with server.handshaken("/ws/echo/"):
            pass


def test_behind_a_proxy_nobody_is_counted_by_the_proxys_address(start: Callable[..., Server]) -> None:
    server = start("SOCKETS_PER_ADDRESS=5", "PROXY_HOPS=1")
    with ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(server.line())
        until(lambda: server.counted("realtime_unfinished") == 10)


def test_sockets_and_requests_under_way_are_not_unfinished(start: Callable[..., Server]) -> None:
    server = start()
    with server.handshaken("/ws/echo/"), server.line() as busy:
        busy.sendall(PAGE.replace(b"/x", b"/never"))
        until(lambda: server.counted("realtime_unfinished") == 0)


def said_to(server: Server, *pieces: bytes, drip: bytes = b"") -> bytes:
    """All that is answered to the pieces and the drips behind them, until the server ends the connection."""
    said = b""
    with server.line() as line:
        deadline = time.monotonic() + 60
        line.settimeout(0.1)
        sending = itertools.chain(pieces, itertools.repeat(drip))
        while time.monotonic() < deadline:
            try:
                line.sendall(next(sending))
                if not (data := line.recv(65_536)):
                    return said
                said += data
            except TimeoutError:
                pass
            except OSError:
                return said
    raise AssertionError(f"the connection did not end: {said!r}")


def ended(line: object) -> bool:
    try:
        return until_it_ends(line) == b""  # type: ignore[arg-type]
    except ConnectionResetError:
        return True


def until(fits: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not fits():
        assert time.monotonic() < deadline
        time.sleep(0.02)
