"""What of a room's log a page shows: the latest, what was before or after a number, or what is around one."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from django.template import Context, loader
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from files.attached import Attached, attached
from rooms.called import called
from rooms.marks import mark_of
from rooms.markup import markup
from rooms.mentions import mentions_of
from rooms.quotes import Quote, quotes
from rooms.reactions import Reader, Signs, signs_of
from rooms.saying import body_of, reply_of
from rooms.topics import RoomTopic
from topics import Event, Person

LATEST: Final = 50  # numbers on a page
FEWEST: Final = 20  # messages, where earlier ones are there: changes have numbers, too
READS: Final = 5  # at most, to find as many
FARTHEST: Final = 2**53  # number that a browser counts exactly
CLOSE: Final = timedelta(minutes=5)  # what one person says within this time stands under one name
KEPT: Final = 1_000  # messages as HTML, which are the same for all who have not said them


class Message(NamedTuple):
    """Something said, as the page shows it. What was removed has neither author nor words."""

    seq: int
    id: str
    key: str
    author: str
    guest: bool
    body: str
    at: datetime
    edited: bool
    retracted: bool
    quote: Quote | None = None
    mentions: tuple[str, ...] = ()
    signs: Signs = ()
    files: tuple[Attached, ...] = ()


class Whose(NamedTuple):
    """Whether the reader has said a message, whether she is mentioned in it, which signs on it are hers, and whether
    she hides who has said it.
    """

    mine: bool
    for_you: bool
    put: tuple[str, ...]
    hidden: bool


class Place(NamedTuple):
    """Where a message stands: whether it is the first of a day, and whether the one before it is the same person's."""

    new_day: bool
    follows: bool


class Part(NamedTuple):
    """The numbers from `first` to `last` of a log that ends at `seq`, and what was said by them."""

    first: int
    last: int
    seq: int
    messages: list[Message]

    @property
    def older(self) -> bool:
        return self.first > 1

    @property
    def newer(self) -> bool:
        return self.last < self.seq


class Asked(NamedTuple):
    """What the address asks for; the first of these that is a number counts."""

    at: int | None = None
    before: int | None = None
    after: int | None = None

    @classmethod
    def by(cls, query: Any) -> "Asked":
        return cls(*(number(query.get(name)) for name in cls._fields))


def number(text: str | None) -> int | None:
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > len(str(FARTHEST)):
        return None
    return int(text)


def part(topic: RoomTopic, asked: Asked, seq: int) -> Part:
    """`seq` is where the log ends."""
    first, last = span(asked, seq)
    messages = said(topic, first, last)
    for _ in range(READS - 1):
        if first == 1 or len(messages) >= FEWEST or asked.after is not None:
            break
        first, until = max(1, first - LATEST), first - 1
        messages = said(topic, first, until) + messages
    return Part(first, last, seq, messages)


def span(asked: Asked, seq: int) -> tuple[int, int]:
    """The first and the last number of what is asked for; the last is smaller where there is nothing."""
    at, before, after = asked
    if at is not None:
        first = max(1, min(at, seq) - LATEST // 2)
    elif before is None and after is not None:
        first = min(after, seq) + 1
    else:
        end = seq + 1 if before is None else max(1, min(before, seq + 1))
        return max(1, end - LATEST), end - 1
    return first, min(seq, first + LATEST - 1)


def said(topic: RoomTopic, first: int, last: int) -> list[Message]:
    events = topic.events(after=first - 1, limit=last - first + 1) if last >= first else []
    kept = [event for event in events if event.seq <= last and event.about is None]
    quoted = quotes(topic, (reply_of(event.data) for event in kept))
    return [message(event, quoted) for event in kept]


def message(event: Event, quoted: dict[int, Quote]) -> Message:
    by, data = event.by, {} if event.retracted else event.data
    quote = quoted.get(reply_of(data) or 0)
    edited = isinstance(data, dict) and data.get("edited") is True
    if event.retracted or by is None:
        key, author, guest = "", "", False
    else:
        key, author, guest = by.public_key, called(by.name), by.guest
    body = body_of(data) or ""
    told = event.seq, event.id, key, author, guest, body, event.at, edited, event.retracted
    return Message(*told, quote, mentions_of(data), signs_of(data), attached(data))


def items(messages: Iterable[Message], reader: Person, hidden: Collection[str] = ()) -> Iterator[SafeString]:
    """Each as HTML; the first of each day says so, and what one person goes on to say stands under one name. `hidden`:
    whose words she does not want to read, by key.
    """
    template, key, before = loader.get_template("rooms/_message.html"), reader.public_key, None
    who = Reader.of(reader)
    language = get_language()
    for one in messages:
        signs = tuple(sign.emoji for sign in one.signs if sign.has(who))
        whose = Whose(one.key == key, key in one.mentions, signs, one.key in hidden)
        new_day = before is None or before.at.date() != one.at.date()
        follows = before is not None and not new_day and goes_on(before, one)
        yield item(template.template, one, whose, Place(new_day, follows), language)  # type: ignore[attr-defined]
        before = one


def goes_on(before: Message, one: Message) -> bool:
    """As `join` in rooms/static/rooms/message.js has it, so that nothing jumps when the script comes."""
    return bool(one.key) and (before.key, before.author) == (one.key, one.author) and one.at - before.at < CLOSE


@lru_cache(maxsize=KEPT)
def item(template: Any, message: Message, whose: Whose, place: Place, language: str) -> SafeString:
    """Templates are kept where pages are made of them: one that has changed since is another. `language` is the one in
    use, which tells what is kept apart.
    """
    about = {"message": message, **whose._asdict(), **place._asdict()}
    words = {"mark": mark_of(message.key), "body": markup(message.body)}
    return template.render(Context(about | words))  # type: ignore[no-any-return]
