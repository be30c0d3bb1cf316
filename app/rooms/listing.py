"""What the lobby lists: the rooms that somebody reads, each with what is new to her, and after these the others."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.template import Context, loader
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from rooms import belonging
from rooms.converters import is_opaque, valid_name
from rooms.models import Kind, Room, Talk
from rooms.moderation import force
from rooms.topics import Lobby
from topics import Person

SHOWN: Final = 50  # of others' rooms on a page
BESIDE: Final = 10  # beside a conversation
MOST_SHOWN: Final = 99  # of what is new; a larger number is told as 99+
BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
MOST_DIGITS: Final = 17
KEPT: Final = 5_000  # lines as HTML


class Listed(NamedTuple):
    """A room. `read` is up to which number the person has read it, None where she never has; `title` is what she calls
    one whose name says nothing.
    """

    name: str
    seq: int
    changed_at: datetime
    read: int | None = None
    unread: int = 0
    mentions: int = 0
    title: str = ""

    @property
    def called(self) -> str:
        return self.title or self.name

    @property
    def shown(self) -> str:
        return shown(self.unread)

    @property
    def shown_mentions(self) -> str:
        return shown(self.mentions)


class Listing(NamedTuple):
    """`next`: what the next page of the others begins after, for the address. `here`: the room beside which it is."""

    own: list[Listed]
    others: list[Listed]
    next: str = ""
    here: str = ""

    @property
    def title(self) -> str:
        """What stands before the page's title: mentions, else all that is new."""
        if mentions := sum(one.mentions for one in self.own):
            return f"(@{shown(mentions)}) "
        unread = sum(one.unread for one in self.own)
        return f"({shown(unread)}) " if unread else ""

    @property
    def own_lines(self) -> Iterator[SafeString]:
        return self._lines(self.own)

    @property
    def other_lines(self) -> Iterator[SafeString]:
        return self._lines(self.others)

    def _lines(self, rooms: list[Listed]) -> Iterator[SafeString]:
        """Each as HTML. Beside a conversation nothing says how long ago."""
        template, language = loader.get_template("rooms/_line.html").template, get_language()  # type: ignore[attr-defined]
        for one in rooms:
            ago = "" if self.here else str(naturaltime(one.changed_at))
            yield line(template, one, one.name == self.here, ago, language)


@lru_cache(maxsize=KEPT)
def line(template: Any, one: Listed, here: bool, ago: str, language: str) -> SafeString:
    """`language` is the one in use, which tells what is kept apart."""
    return template.render(Context({"one": one, "here": here, "ago": ago}))  # type: ignore[no-any-return]


def shown(number: int) -> str:
    return f"{MOST_SHOWN}+" if number > MOST_SHOWN else str(number)


def listing(person: Person, limit: int = SHOWN, after: str | None = None, here: str = "") -> Listing:
    """Three queries for a guest, seven for an account, however many rooms there are."""
    own = own_rooms(person) if person.known else []
    if own and (banned := force.banned_from(person)):
        own = [one for one in own if one.name not in banned]
    before = place(after)
    others = Room.objects.recent(limit, without={one.name for one in own}, before=before)
    following = cursor(others[-1]) if len(others) == limit else ""
    return Listing([] if before else own, [Listed(*talk) for talk in others], following, here)


def own_rooms(person: Person) -> list[Listed]:
    """Those that she reads, and the closed ones that she is a member of, whether something was said there or not."""
    hers = belonging.of(person)
    titles = {name: one.title for name, one in hers.items()}
    said = [
        Listed(room, one.seq, one.changed_at, one.read, one.unread, one.addressed, titles.get(room, ""))
        for one in Lobby.readings(person)
        if (room := one.topic.room) in titles or not is_opaque(room)
    ]
    empty = [one for name, one in hers.items() if one.kind == Kind.CLOSED and name not in {room.name for room in said}]
    more = [Listed(one.name, 0, one.since, 0, title=one.title) for one in empty]
    return sorted(said + more, key=lambda one: one.changed_at, reverse=True) if more else said


def cursor(talk: Talk) -> str:
    return f"{(talk.changed_at - BEGINNING) // MICROSECOND}-{talk.name}"


def place(after: str | None) -> Talk | None:
    """The last room of the page before, as the address has it."""
    digits, _, name = (after or "").partition("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= MOST_DIGITS and valid_name(name)):
        return None
    return Talk(name, 0, BEGINNING + int(digits) * MICROSECOND)
