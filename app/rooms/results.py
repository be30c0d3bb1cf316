"""What was found by its words, as a page shows it: each with its room, who said it and when, and the words marked."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from django.utils.safestring import SafeString

from rooms import belonging
from rooms.conversation import Message, message
from rooms.marks import Mark, mark_of
from rooms.markup import markup
from rooms.topics import RoomTopic
from topics import Person

SHOWN: Final = 20  # on a page


class Result(NamedTuple):
    room: str
    title: str
    message: Message
    mark: Mark
    body: SafeString


class Results(NamedTuple):
    """`next`: what the next page begins before. `behind`: what came last may not be among these."""

    listed: list[Result]
    next: int | None
    behind: bool


def results(text: str, topic: RoomTopic | None, reader: Person, before: int | None) -> Results:
    """In one room, or in all that the reader may read. Raises Refused."""
    if topic is None:
        found = RoomTopic.search_all(text, reader=reader, before=before, limit=SHOWN)
    else:
        found = topic.search(text, before=before, limit=SHOWN)
    hers = belonging.of(reader, {hit.topic.room for hit in found.hits})
    titles = {name: one.title for name, one in hers.items()}
    return Results(list(_listed(found, titles)), found.next, found.behind)


def _listed(found: Any, titles: dict[str, str]) -> Iterator[Result]:
    for hit in found.hits:
        one, room = message(hit.event, {}), hit.topic.room
        yield Result(room, titles.get(room, room), one, mark_of(one.key), markup(one.body, found.spans(one.body)))
