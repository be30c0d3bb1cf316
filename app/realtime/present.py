"""The sockets of this process by their person, whether they follow a log or none."""

from collections.abc import Collection, Iterator

from realtime.contract import Follower


class Present:
    def __init__(self) -> None:
        self._of: dict[str, set[Follower]] = {}

    def enter(self, one: Follower, *also: str) -> None:
        """`also` are further keys by which it is found."""
        for key in (one.key, *also):
            self._of.setdefault(key, set()).add(one)

    def leave(self, one: Follower, *also: str) -> None:
        for key in (one.key, *also):
            hers = self._of[key]
            hers.discard(one)
            if not hers:
                del self._of[key]

    def of(self, key: str) -> Collection[Follower]:
        """Of the person with this key, or of whatever else it stands for."""
        return self._of.get(key, ())

    def __iter__(self) -> Iterator[Follower]:
        return (one for hers in self._of.values() for one in hers)
