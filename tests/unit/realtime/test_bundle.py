"""Frames that leave together: how many fit, and how they look on the wire to a WebSocket library."""

import json

import pytest
from websockets.frames import Opcode
from websockets.protocol import CLIENT, Protocol

from realtime.bundle import Bundle, bundles, framed, joined
from realtime.limits import MAX_FRAME_BYTES


def received(wire: bytes) -> list[str]:
    """The texts that a client reads, each a message of its own."""
    client = Protocol(CLIENT, max_size=None)
    client.receive_data(wire)
    events = client.events_received()
    assert client.parser_exc is None
    assert all(frame.opcode is Opcode.TEXT and frame.fin for frame in events)  # type: ignore[union-attr]
    return [bytes(frame.data).decode() for frame in events]  # type: ignore[union-attr]


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
def test_a_client_reads_a_frame_of_any_length(length: int) -> None:
    assert received(framed(b"x" * length)) == ["x" * length]


def test_one_by_one_or_as_an_array() -> None:
    bundle = Bundle([b'"a"', '"\u8bed"'.encode(), b"3"])
    assert received(bundle.wire(batch=False)) == ['"a"', '"\u8bed"', "3"]
    assert [json.loads(text) for text in received(bundle.wire(batch=True))] == [["a", "\u8bed", 3]]
    assert list(bundle.texts(batch=False)) == [('"a"', 3), ('"\u8bed"', 5), ("3", 1)]
    assert list(bundle.texts(batch=True)) == [('["a","\u8bed",3]', 9)]
    assert bundle.size == 9


def test_a_bundle_fills_a_frame_to_the_last_byte() -> None:
    half = b"x" * ((MAX_FRAME_BYTES - len(b"[,]")) // 2)
    rest = b"x" * (MAX_FRAME_BYTES - len(b"[,]") - len(half))
    (full,) = bundles([half, rest])
    assert len(received(full.wire(batch=True))[0]) == MAX_FRAME_BYTES
    assert len(list(bundles([half, rest + b"x"]))) == 2
    assert list(bundles([])) == []


def test_what_fits_nowhere_stands_alone() -> None:
    huge = b"x" * (MAX_FRAME_BYTES + 1)
    assert [bundle.payloads for bundle in bundles([b"a", huge, b"b"])] == [[b"a"], [huge], [b"b"]]


def test_small_ones_are_joined_in_order() -> None:
    (one,) = joined([Bundle([b"a"]), Bundle([b"b", b"c"])])
    assert one.payloads == [b"a", b"b", b"c"]
    alone = [Bundle([b"a"])]
    assert joined(alone) is alone
