"""What a message answers: whose it was, and its first words as they are by now."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from files.attached import attached
from rooms.called import called
from rooms.saying import body_of
from rooms.topics import RoomTopic
from topics import Event

WORDS: Final = 120  # characters of the first words; static/rooms/quotes.js has as many


class Quote(NamedTuple):
    """Of what was removed, and of what is not there, only the number is left."""

    seq: int
    author: str = ""
    words: str = ""
    gone: bool = True


def quotes(topic: RoomTopic, seqs: Iterable[int | None]) -> dict[int, Quote]:
    """By number, of those that are asked for."""
    wanted = {seq for seq in seqs if seq is not None}
    found = {event.seq: quote(event) for event in topic.numbered(wanted)} if wanted else {}
    return {seq: found.get(seq) or Quote(seq) for seq in wanted}


def quote(event: Event) -> Quote:
    if event.retracted:
        return Quote(event.seq)
    files = " ".join(file.name for file in attached(event.data))
    words = " ".join((body_of(event.data) or files).split())[:WORDS]
    return Quote(event.seq, called(event.by.name) if event.by else "", words, gone=False)
