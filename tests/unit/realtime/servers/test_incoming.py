"""What is read without the library: only what the library would have read as the same text."""

import struct
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import SERVER, Protocol

from realtime.servers.incoming import Incoming

WHOLE = b"\x81\x82\x00\x00\x00\x00hi"


def sent(text: str, *, opcode: Opcode = Opcode.TEXT, fin: bool = True) -> bytes:
    return bytes(Frame(opcode, text.encode(), fin).serialize(mask=True))


def pieces(chunks: Iterable[bytes]) -> list[str | bytes]:
    incoming, found = Incoming(), []
    for chunk in chunks:
        incoming.add(chunk)
        while (piece := incoming.next()) is not None:
            found.append(piece)
    return found


def for_the_library(found: Iterable[str | bytes]) -> bytes:
    return b"".join(piece for piece in found if isinstance(piece, bytes))


@pytest.mark.parametrize("text", ["", "a", "x" * 125, "x" * 126, "语" * 1_000, "x" * 65_535])
def test_a_whole_text_is_read_here(text: str) -> None:
    assert pieces([sent(text) * 2]) == [text, text]


@pytest.mark.parametrize(
    "frame",
    [
        sent("x" * 65_536),
        sent("a", opcode=Opcode.BINARY),
        sent("a", opcode=Opcode.PING),
        struct.pack("!BB", 0x88, 0x80) + bytes(4),
        sent("a", fin=False),
        b"\x81\x02hi",
        b"\x81\xfe\x00\x02\x00\x00\x00\x00hi",
        b"\xc1\x82\x00\x00\x00\x00hi",
        b"\x81\x82\x00\x00\x00\x00\xff\xff",
    ],
    ids=[
        *("long", "binary", "ping", "close", "half of a message"),
        *("not masked", "a length that is longer than it has to be", "a reserved bit", "not UTF-8"),
    ],
)
def test_everything_else_is_the_librarys_to_the_byte(frame: bytes) -> None:
    assert for_the_library(pieces([frame])) == frame


def test_a_text_that_is_not_here_as_a_whole_is_the_librarys_and_the_next_one_is_not() -> None:
    first, second = sent("first"), sent("second")
    found = pieces([first[:4], first[4:] + second])
    assert for_the_library(found) == first
    assert found[-1] == "second"


def test_what_stands_between_fragments_is_for_the_library_to_refuse() -> None:
    wrong = sent("begun", fin=False) + sent("interrupted")
    assert for_the_library(pieces([wrong])) == wrong
    right = sent("begun", fin=False) + sent("", opcode=Opcode.PING) + sent("ended", opcode=Opcode.CONT)
    found = pieces([right + WHOLE])
    assert for_the_library(found) == right
    assert found[-1] == "hi"


def test_nothing_is_kept_of_what_was_taken() -> None:
    incoming = Incoming()
    for end in (b"", WHOLE[:1]):
        incoming.add(sent("x" * 60_000) + end)
        while incoming.next() is not None:
            pass
        assert len(incoming._data) == len(end)


def test_what_has_not_been_taken_yet_is_kept_when_more_comes() -> None:
    incoming = Incoming()
    incoming.add(WHOLE + WHOLE)
    assert incoming.next() == "hi"
    incoming.add(WHOLE[:3])
    assert incoming.next() == "hi"
    assert isinstance(incoming.next(), bytes)
    incoming.add(WHOLE[3:])
    assert isinstance(incoming.next(), bytes)
    assert incoming.next() is None


frames = st.one_of(
    st.text(max_size=200).map(sent),
    st.text(max_size=20).map(lambda text: sent(text, opcode=Opcode.PING)),
    st.text(max_size=200).map(lambda text: sent(text, opcode=Opcode.BINARY)),
    st.text(max_size=200).map(lambda text: sent(text, fin=False) + sent(text, opcode=Opcode.CONT)),
)


@given(st.lists(frames, max_size=12), st.lists(st.integers(1, 300), min_size=1, max_size=40))
def test_however_it_is_cut_all_is_heard_once_and_in_order(said: list[bytes], cuts: list[int]) -> None:
    wire = b"".join(said)
    chunks, at = [], 0
    while at < len(wire):
        size = cuts[len(chunks) % len(cuts)]
        chunks.append(wire[at : at + size])
        at += size
    assert heard(pieces(chunks)) == heard([wire])


def heard(found: Iterable[str | bytes]) -> list[tuple[Opcode, bytes]]:
    """Messages as an application gets them, with the library's own frames put together."""
    library, messages = Protocol(SERVER, max_size=None), []
    kind, data = Opcode.TEXT, b""
    for piece in found:
        if isinstance(piece, str):
            messages.append((Opcode.TEXT, piece.encode()))
            continue
        library.receive_data(piece)
        for frame in library.events_received():
            assert isinstance(frame, Frame)
            if frame.opcode is Opcode.PING:
                messages.append((Opcode.PING, bytes(frame.data)))
                continue
            kind = kind if frame.opcode is Opcode.CONT else frame.opcode
            data += frame.data
            if frame.fin:
                messages.append((kind, data))
                data = b""
    assert library.parser_exc is None
    return messages
