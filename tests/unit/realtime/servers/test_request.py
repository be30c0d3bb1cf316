"""What the head of a request may be, and what is passed on of it. The raw requests are in tests/integration."""

import weakref
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.http11 import Request
from websockets.server import ServerProtocol

from realtime.limits import MAX_BODY_BYTES, MAX_HEAD_BYTES
from realtime.servers.request import HANDSHAKE, Head, Headers, Refused, judged

HOST = (b"host", b"rooms.example.org")
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
SOCKET: Headers = [
    HOST,
    (b"upgrade", b"websocket"),
    (b"connection", b"Upgrade"),
    (b"sec-websocket-version", b"13"),
    (b"sec-websocket-key", KEY),
]


def asked(target: bytes = b"/", *headers: tuple[bytes, bytes], method: bytes = b"GET", version: bytes = b"1.1") -> Head:
    return judged(method, target, version, list(headers) or [HOST])


def test_a_whole_addresss_host_counts_and_not_the_headers() -> None:
    head = asked(b"HTTP://alice.example:8080/x?y", (b"host", b"bob.example"), (b"accept", b"*/*"))
    assert head.target == b"/x?y"
    assert head.headers == [(b"host", b"alice.example:8080"), (b"accept", b"*/*")]


def test_a_target_becomes_path_and_query() -> None:
    scope = asked(b"/caf%C3%A9;a?b=%20c?d").scope()
    assert (scope["path"], scope["raw_path"], scope["query_string"]) == ("/café;a", b"/caf%C3%A9;a", b"b=%20c?d")


def test_a_name_that_looks_like_another_is_dropped() -> None:
    assert asked(b"/", HOST, (b"x_forwarded_for", b"192.0.2.1")).headers == [HOST]


def test_subprotocols_are_taken_apart() -> None:
    offers = [(b"sec-websocket-protocol", b"rooms.v1.batch,, rooms.v1 "), (b"sec-websocket-protocol", b"\ta")]
    assert asked(b"/", *SOCKET, *offers).subprotocols == ["rooms.v1.batch", "rooms.v1", "a"]


@pytest.mark.parametrize(("length", "status"), [(MAX_BODY_BYTES, None), (MAX_BODY_BYTES + 1, 413), (10**19, 413)])
def test_a_body_may_have_so_many_bytes(length: int, status: int | None) -> None:
    assert refused(asked, b"/", HOST, (b"content-length", b"%d" % length), method=b"POST") == status


@pytest.mark.parametrize(("size", "status"), [(MAX_HEAD_BYTES - 100, None), (MAX_HEAD_BYTES, 431)])
def test_a_head_may_have_so_many_bytes(size: int, status: int | None) -> None:
    assert refused(asked, b"/", HOST, (b"x", b"y" * size)) == status


def refused(ask: object, *arguments: object, **more: object) -> int | None:
    try:
        ask(*arguments, **more)  # type: ignore[operator]
    except Refused as refusal:
        return refusal.status
    return None


def test_a_refusal_is_a_whole_answer() -> None:
    with pytest.raises(Refused) as refusal:
        asked(b"/", *SOCKET, method=b"POST")
    head, _, body = refusal.value.answer().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\n")
    assert b"\r\nConnection: close" in head
    assert b"\r\nContent-Length: %d\r\n" % len(body) in head


class Asked(list[tuple[bytes, bytes]]):
    """Headers that can be told to be gone."""


@pytest.mark.parametrize(
    ("method", "header"),
    [(b"BREW", HOST), (b"GET", (b"x", b"y" * MAX_HEAD_BYTES)), (b"POST", (b"content-length", b"9" * 9))],
)
def test_nothing_of_a_request_is_kept_once_it_is_refused(method: bytes, header: tuple[bytes, bytes]) -> None:
    headers = Asked([HOST, header])
    gone = weakref.ref(headers)
    with suppress(Refused):
        judged(method, b"/", b"1.1", headers)
        pytest.fail("it is served")
    del headers
    assert gone() is None


@given(
    st.sampled_from([b"GET", b"POST", b"CONNECT", b"\xff"]),
    st.one_of(st.binary(max_size=40), st.binary(max_size=20).map(lambda tail: b"/" + tail)),
    st.lists(
        st.tuples(
            st.one_of(st.sampled_from([name for name, _ in SOCKET]), st.just(b"sec-websocket-protocol"), st.binary()),
            st.one_of(st.sampled_from([value for _, value in SOCKET]), st.binary(max_size=30)),
        ),
        max_size=8,
    ),
)
def test_whatever_is_asked_is_served_or_refused(method: bytes, target: bytes, more: Headers) -> None:
    for headers in (more, SOCKET + more):
        try:
            head = judged(method, target, b"1.1", headers)
        except Refused:
            continue
        assert head.scope()["path"].startswith("/")
        assert not head.handshake or accepted(head.handshake) == 101


def accepted(handshake: bytes) -> int:
    """The status that the WebSocket library gives to what it gets to see."""
    library = ServerProtocol()
    library.receive_data(handshake)
    (request,) = library.events_received()
    assert isinstance(request, Request)
    return library.accept(request).status_code


def test_the_library_sees_nothing_but_the_key_and_the_offers() -> None:
    head = asked(b"//[x", *SOCKET, (b"origin", b"http://[::1"), (b"sec-websocket-protocol", b"a"))
    assert head.handshake == HANDSHAKE % (KEY, b"Sec-WebSocket-Protocol: a\r\n")
