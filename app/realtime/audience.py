"""The live followers of one feed, by dialect, and how frames get to them.

Each frame is put into a dialect's words once, however many hear it.
"""

from collections.abc import Iterator

from realtime.bundle import bundles
from realtime.contract import Dialect, Follower, Numbered

Cast = tuple[str, str | None]
"""A frame without a number, and the key of the person who is not told."""


class Audience:
    """A set of followers."""

    __slots__ = ("_groups",)

    def __init__(self) -> None:
        self._groups: dict[Dialect | None, set[Follower]] = {}

    def add(self, follower: Follower) -> None:
        self._groups.setdefault(dialect_of(follower), set()).add(follower)

    def discard(self, follower: Follower) -> None:
        dialect = dialect_of(follower)
        if group := self._groups.get(dialect):
            group.discard(follower)
            if not group:
                del self._groups[dialect]

    @property
    def dialects(self) -> list[Dialect | None]:
        return list(self._groups)

    def of(self, dialect: Dialect | None) -> list[Follower]:
        """Those who are there now; who is told something may leave meanwhile."""
        return list(self._groups.get(dialect, ()))

    def __iter__(self) -> Iterator[Follower]:
        return (follower for group in self._groups.values() for follower in group)

    def __len__(self) -> int:
        return sum(map(len, self._groups.values()))

    def __contains__(self, follower: object) -> bool:
        return any(follower in group for group in self._groups.values())


def dialect_of(follower: Follower) -> Dialect | None:
    """None: the log's own words."""
    return getattr(follower, "dialect", None)


def in_words(dialect: Dialect | None, frame: str) -> str:
    return frame if dialect is None else dialect.translate(frame)


def numbered_in(dialect: Dialect | None, events: list[Numbered]) -> list[Numbered]:
    if dialect is None:
        return events
    return [Numbered(event.seq, dialect.translate(event.frame)) for event in events]


def casts_in(dialect: Dialect | None, casts: list[Cast]) -> list[Cast]:
    """Without those for which the dialect has no word."""
    if dialect is None:
        return casts
    return [(words, key) for frame, key in casts if (words := dialect.translate(frame))]


def hand_page(follower: Follower, page: list[Numbered], position: int) -> int:
    """Hands over bundle after bundle until one has to wait; the follower's position after that."""
    page, handed = numbered_in(dialect_of(follower), page), 0
    for bundle in bundles(event.frame.encode() for event in page):
        if not follower.hand(bundle):
            break
        handed += len(bundle.payloads)
        position = page[handed - 1].seq
        if not follower.keeps_up:
            break
    return position
