"""Raw requests, as strangers write them: both servers give the same answer, log no traceback, and stay."""

import contextlib
import random
import socket
from collections.abc import Iterator

import pytest

from servers.small import Server, until_it_ends

HOST, CLOSE = b"Host: localhost\r\n", b"Connection: close\r\n"
UPGRADE = b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
VERSION, KEY = b"Sec-WebSocket-Version: 13\r\n", b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def page(line: bytes = b"GET /x HTTP/1.1", more: bytes = b"", host: bytes = HOST, body: bytes = b"") -> bytes:
    return line + b"\r\n" + host + CLOSE + more + b"\r\n" + body


def socket_at(
    line: bytes = b"GET /ws/echo/ HTTP/1.1",
    more: bytes = b"",
    *,
    host: bytes = HOST,
    upgrade: bytes = UPGRADE,
    version: bytes = VERSION,
    key: bytes = KEY,
) -> bytes:
    return line + b"\r\n" + host + upgrade + version + key + more + b"\r\n"


def offering(value: bytes) -> bytes:
    return socket_at(more=b"Sec-WebSocket-Protocol: " + value + b"\r\n")


SERVED = {
    "a page": (page(), 200),
    "a page of a whole address": (page(b"GET http://localhost/x HTTP/1.1"), 200),
    "without a path": (page(b"GET http://localhost HTTP/1.1"), 200),
    "with a query": (page(b"GET http://localhost?a=b HTTP/1.1"), 200),
    "HTTP/1.0 without a host": (page(b"GET /x HTTP/1.0", host=b""), 200),
    "an empty line before": (b"\r\n" + page(), 200),
    "a folded header": (page(more=b"X: a\r\n b\r\n"), 200),
    "an upgrade to something else": (page(more=b"Upgrade: h2c\r\nConnection: Upgrade\r\n"), 200),
    "chunks": (page(b"POST /x HTTP/1.1", CHUNKED, body=b"3\r\nabc\r\n0\r\n\r\n"), 200),
    "as big a body as may be": (page(b"POST /x HTTP/1.1", b"Content-Length: 131072\r\n", body=bytes(131_072)), 200),
    "a socket": (socket_at(), 101),
    "a socket at a whole address": (socket_at(b"GET http://localhost/ws/echo/ HTTP/1.1"), 101),
    "a socket at ws://": (socket_at(b"GET ws://localhost/ws/echo/ HTTP/1.1"), 101),
    "a socket at a percent-encoded path": (socket_at(b"GET /ws/%65cho/ HTTP/1.1"), 101),
    "in other letters": (socket_at(upgrade=b"UPGRADE: WebSocket\r\nconnection: keep-alive, UPGRADE\r\n"), 101),
    "two Connection headers": (socket_at(upgrade=UPGRADE + b"Connection: keep-alive\r\n"), 101),
    "no length": (socket_at(more=b"Content-Length: 0\r\n"), 101),
    "a header of 9,000 bytes": (socket_at(more=b"X: " + b"x" * 9_000 + b"\r\n"), 101),
    "no subprotocol": (offering(b""), 101),
    "blanks and empty elements": (offering(b"  a , ,b,"), 101),
    "subprotocols in two headers": (offering(b"a\r\nSec-WebSocket-Protocol: b"), 101),
    "extensions": (socket_at(more=b"Sec-WebSocket-Extensions: ;;=\xc3\r\nSec-WebSocket-Extensions: a\r\n"), 101),
    "a query of the path's own characters": (socket_at(b"GET /ws/echo/?a=//[x;y&&= HTTP/1.1"), 101),
}
REFUSED = {
    "no request": (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
    "HTTP/0.9": (b"GET /x\r\n\r\n", 400),
    "HTTP/1.2": (page(b"GET /x HTTP/1.2"), 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "two blanks": (page(b"GET  /x HTTP/1.1"), 400),
    "a method in small letters": (page(b"get /x HTTP/1.1"), 400),
    "an unknown method": (page(b"BREW /x HTTP/1.1"), 400),
    "CONNECT": (page(b"CONNECT localhost:443 HTTP/1.1"), 400),
    "CONNECT to a path": (page(b"CONNECT /x HTTP/1.1"), 400),
    "TRACE": (page(b"TRACE /x HTTP/1.1"), 400),
    "OPTIONS *": (page(b"OPTIONS * HTTP/1.1"), 400),
    "a target that is no path": (page(b"GET x HTTP/1.1"), 400),
    "a whole address of another kind": (page(b"GET ftp://localhost/x HTTP/1.1"), 400),
    "a name before the host": (page(b"GET http://alice@localhost/x HTTP/1.1"), 400),
    "bytes in the path": (page(b"GET /\xc3\xa9 HTTP/1.1"), 400),
    "bytes in the query": (socket_at(b"GET /ws/echo/?a=\xc3\xa9 HTTP/1.1"), 400),
    "a fragment": (socket_at(b"GET /ws/echo/#x HTTP/1.1"), 400),
    "no host": (page(host=b""), 400),
    "two hosts": (page(host=2 * HOST), 400),
    "a host without its port": (socket_at(host=b"Host: localhost:\r\n"), 400),
    "bytes in the host": (socket_at(host=b"Host: \xc3\xa9\r\n"), 400),
    "a header without a name": (page(more=b": x\r\n"), 400),
    "a header without a colon": (page(more=b"x\r\n"), 400),
    "a blank before the colon": (page(more=b"X : a\r\n"), 400),
    "NUL in a header": (page(more=b"X: a\0b\r\n"), 400),
    "a control character in a header": (page(more=b"X: a\x01b\r\n"), 400),
    "a head of 20 KB": (page(more=b"X: " + b"x" * 20_000 + b"\r\n"), 431),
    "a target of 20 KB": (page(b"GET /" + b"x" * 20_000 + b" HTTP/1.1"), 431),
    "a head without end": (b"GET /x HTTP/1.1\r\n" + b"X: y\r\n" * 5_000, 431),
    "200 headers": (socket_at(more=b"X: a\r\n" * 200), 431),
    "a negative length": (page(b"POST /x HTTP/1.1", b"Content-Length: -1\r\n"), 400),
    "two lengths": (page(b"POST /x HTTP/1.1", b"Content-Length: 1\r\nContent-Length: 2\r\n"), 400),
    "a length and chunks": (page(b"POST /x HTTP/1.1", CHUNKED + b"Content-Length: 1\r\n"), 400),
    "another coding": (page(b"POST /x HTTP/1.1", b"Transfer-Encoding: gzip, chunked\r\n"), 400),
    "no coding at all": (page(b"POST /x HTTP/1.1", b"Transfer-Encoding: identity\r\n"), 400),
    "a chunk without a size": (page(b"POST /x HTTP/1.1", CHUNKED, body=b"zz\r\n"), 400),
    "a socket by POST": (socket_at(b"POST /ws/echo/ HTTP/1.1"), 405),
    "a socket by HEAD": (socket_at(b"HEAD /ws/echo/ HTTP/1.1"), 405),
    "a socket by OPTIONS": (socket_at(b"OPTIONS /ws/echo/ HTTP/1.1"), 405),
    "a socket by HTTP/1.0": (socket_at(b"GET /ws/echo/ HTTP/1.0"), 400),
    "Upgrade without Connection": (socket_at(upgrade=b"Upgrade: websocket\r\n"), 400),
    "two upgrades": (socket_at(upgrade=b"Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n"), 400),
    "two Upgrade headers": (socket_at(upgrade=UPGRADE + b"Upgrade: h2c\r\n"), 400),
    "no version": (socket_at(version=b""), 426),
    "an old version": (socket_at(version=b"Sec-WebSocket-Version: 8\r\n"), 426),
    "no number as version": (socket_at(version=b"Sec-WebSocket-Version: x\r\n"), 426),
    "no key": (socket_at(key=b""), 400),
    "a short key": (socket_at(key=b"Sec-WebSocket-Key: AAAA\r\n"), 400),
    "a key that is no base64": (socket_at(key=b"Sec-WebSocket-Key: \xc3\xa9AAAAAAAAAAAAAAAAAAAA==\r\n"), 400),
    "two keys": (socket_at(key=2 * KEY), 400),
    "a socket with a body": (socket_at(more=b"Content-Length: 5\r\n") + b"hello", 400),
    "a socket with chunks": (socket_at(more=CHUNKED) + b"0\r\n\r\n", 400),
    "bytes as subprotocol": (offering(b"\xc3\xa9"), 400),
    "a blank in a subprotocol": (offering(b"a b"), 400),
    "a subprotocol twice": (offering(b"a, b, a"), 400),
    "a NUL as subprotocol": (offering(b"a\0"), 400),
}


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    running = Server(request.param)
    running.start()
    yield running
    assert running.stop() == 0
    assert "Traceback" not in running.output()
    assert max(map(len, running.output().splitlines()), default=0) < 1_000


@pytest.mark.parametrize(("request_", "status"), SERVED.values(), ids=SERVED.keys())
def test_this_is_served(server: Server, request_: bytes, status: int) -> None:
    assert answered(server, request_, to_the_end=status == 200) == status


@pytest.mark.parametrize(("request_", "status"), REFUSED.values(), ids=REFUSED.keys())
def test_this_is_refused_in_words_and_the_connection_ends(server: Server, request_: bytes, status: int) -> None:
    assert answered(server, request_) == status


def test_who_speaks_another_version_learns_which_one_is_spoken(server: Server) -> None:
    with server.line() as line:
        line.sendall(socket_at(version=b""))
        assert b"\r\nSec-WebSocket-Version: 13\r\n" in until_it_ends(line)


def test_frames_right_behind_the_handshake_are_heard(server: Server) -> None:
    with server.line() as line:
        line.sendall(socket_at() + b"\x81\x82\0\0\0\0hi")
        said = b""
        while not said.endswith(b"\x81\x02hi"):
            said += line.recv(1_024)


def test_one_connection_carries_one_request_after_the_other(server: Server) -> None:
    with server.line() as line:
        line.sendall(2 * b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n" + page())
        assert until_it_ends(line).count(b" 200 OK\r\n") == 3


def test_hundreds_of_requests_that_are_nearly_right_leave_no_trace(server: Server) -> None:
    chance = random.Random(10)
    good = [request for request, _ in [*SERVED.values(), *REFUSED.values()] if len(request) < 1_000]
    for _ in range(200):
        with server.line() as line:
            line.sendall(spoilt(chance.choice(good), chance))
            line.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionResetError):
                until_it_ends(line)
    assert server.get() == 200


def spoilt(request: bytes, chance: random.Random) -> bytes:
    changed = bytearray(request)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(changed))
        match chance.randrange(4):
            case 0:
                changed[at] = chance.randrange(256)
            case 1:
                del changed[at : at + chance.randint(1, 8)]
            case 2:
                changed[at:at] = chance.randbytes(chance.randint(1, 6))
            case _:
                changed[at:at] = chance.choice([b"\r\n", b"\n", b": ", b"%00", b"http://", b"[", b"\0", b",", b"/"])
    # What the small application does not know is no fault of the server's.
    return bytes(changed).replace(b"websocket", b"websocke")


def answered(server: Server, request: bytes, *, to_the_end: bool = True) -> int:
    with server.line() as line:
        line.sendall(request)
        answer = until_it_ends(line) if to_the_end else line.recv(4_096)
    assert answer.count(b"\r\n\r\n") == 1
    return int(answer.split(b" ", 2)[1])
