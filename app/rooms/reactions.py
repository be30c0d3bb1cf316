"""Reactions: a few signs that people put on a message, as a part of its data.

Each that is there is {"emoji": "👍", "count": 12, "by": [{"key": …, "name": …}, …], "rest": "…"}: at most NAMED people
by name and, since a message that a thousand people like must stay small, of all others only a token, by which each of
them can take it back.
"""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from django.utils.translation import ngettext

from topics import Person

EMOJI: Final = ("👍", "❤️", "😂", "🎉", "😮", "😢")
NAMED: Final = 10
NAME: Final = 32  # characters of a name
MOST: Final = 1_000  # people, each sign
TOKEN: Final = 4  # characters; two people have the same once in 16 million. static/rooms/reactions.js makes it, too

Signs = tuple["Sign", ...]


class Full(Exception):
    """So many people have put this sign there that no more are counted."""


class Reader(NamedTuple):
    """By what somebody is known here."""

    key: str
    name: str

    @classmethod
    def of(cls, person: Person) -> "Reader":
        return cls(person.public_key, person.name[:NAME])

    @property
    def token(self) -> str:
        return b64encode(bytes.fromhex(self.key[:6])).decode()


class Sign(NamedTuple):
    emoji: str
    by: tuple[Reader, ...] = ()
    rest: tuple[str, ...] = ()

    @property
    def people(self) -> int:
        return len(self.by) + len(self.rest)

    @property
    def names(self) -> str:
        """Whose it is, to be read out."""
        more = len(self.rest)
        rest = [ngettext("{count} more", "{count} more", more).format(count=more)] if more else []
        return ", ".join([*(one.name for one in self.by), *rest])

    def has(self, who: Reader) -> bool:
        return any(one.key == who.key for one in self.by) or who.token in self.rest

    def added(self, who: Reader) -> "Sign":
        if self.people >= MOST:
            raise Full
        if len(self.by) < NAMED:
            return self._replace(by=(*self.by, who))
        return self._replace(rest=(*self.rest, who.token))

    def taken(self, who: Reader) -> "Sign":
        by = tuple(one for one in self.by if one.key != who.key)
        if len(by) < len(self.by):
            return self._replace(by=by)
        at = self.rest.index(who.token)
        return self._replace(rest=self.rest[:at] + self.rest[at + 1 :])

    def as_data(self) -> dict[str, Any]:
        rest = {"rest": "".join(self.rest)} if self.rest else {}
        return {"emoji": self.emoji, "count": self.people, "by": [one._asdict() for one in self.by]} | rest


def signs_of(data: Any) -> Signs:
    """Those in a message's data; none where a program has put something else there."""
    try:
        return tuple(sign(one) for one in data["reactions"] if one["emoji"] in EMOJI)
    except (KeyError, TypeError):
        return ()


def sign(one: dict[str, Any]) -> Sign:
    rest = one.get("rest", "")
    by = tuple(Reader(str(who["key"]), str(who["name"])) for who in one["by"])
    return Sign(one["emoji"], by, tuple(rest[at : at + TOKEN] for at in range(0, len(rest), TOKEN)))


def part(signs: Sequence[Sign]) -> dict[str, Any]:
    """What of a message's data they are."""
    left = [one.as_data() for one in signs if one.people]
    return {"reactions": left} if left else {}


def put(data: dict[str, Any], signs: Signs) -> dict[str, Any]:
    """The message's data with these: before `mentions`, behind which topics.news takes any key for one of theirs."""
    rest = {name: value for name, value in data.items() if name not in {"reactions", "mentions"}}
    return rest | part(signs) | {name: value for name, value in data.items() if name == "mentions"}


def changed(signs: Signs, person: Person, emoji: str, on: bool) -> Signs | None:
    """With the person's sign put there, or taken back; None where that is so already. Raises Full."""
    who = Reader.of(person)
    by_emoji = {one.emoji: one for one in signs}
    there = by_emoji.get(emoji, Sign(emoji))
    if there.has(who) == on:
        return None
    return tuple((by_emoji | {emoji: there.added(who) if on else there.taken(who)}).values())


def renamed(data: Any, person: Person) -> Any:
    """The data with the name that the person has now, wherever she has put a sign."""
    now, signs = Reader.of(person), signs_of(data)
    if not any(one.key == now.key for sign in signs for one in sign.by):
        return data
    return data | part([one._replace(by=tuple(now if who.key == now.key else who for who in one.by)) for one in signs])
