"""The people of one room, over all processes, and what the room's sockets have not been told yet."""

from collections.abc import Callable
from itertools import islice
from typing import Any, TypeVar

T = TypeVar("T")
Person = dict[str, Any]
"""What everybody may know of somebody: {"name": str, "guest": bool}."""

NEVER = float("-inf")


class Roster:
    """Everybody is in `here` once, by key, however many processes have a socket of theirs.

    What is known of a process is true as of a number among its changes; where nothing is known, as of 0.
    """

    __slots__ = ("_as_of", "_parts", "_people", "_shown", "_shows", "_untold", "here", "told_at")

    def __init__(self) -> None:
        self.here: dict[str, Person] = {}
        self.told_at = NEVER
        self._as_of: dict[str, int] = {}
        self._people: dict[str, dict[str, Person]] = {}  # of each process that has any
        self._parts: dict[str, tuple[int, dict[int, dict[str, Person]]]] = {}
        self._shows = 0
        self._shown: tuple[Any, ...] | None = None  # what a newcomer was shown last, as long as it holds
        # Of those who have changed since the sockets were told: as whom any of them knows somebody, and how
        # often everybody had been shown to a newcomer when it last changed.
        self._untold: dict[str, tuple[list[Person | None], int]] = {}

    # --- What is known of one process --------------------------------------------------------------

    def as_of(self, process: str) -> int:
        return self._as_of.get(process, 0)

    def people(self, process: str) -> dict[str, Person]:
        return self._people.get(process, {})

    def advance(self, process: str, as_of: int) -> None:
        """What is known of the process is known as of this number."""
        self._as_of[process] = as_of
        if process in self._parts and self._parts[process][0] <= as_of:
            del self._parts[process]

    def put(self, process: str, key: str, person: Person | None) -> None:
        """Somebody is there with the process, or (None) is not any more."""
        people = self._people.setdefault(process, {})
        if person is None:
            people.pop(key, None)
        else:
            people[key] = person
        if not people:
            del self._people[process]
        self._settle(key)

    def replace(self, process: str, people: dict[str, Person]) -> None:
        """These and nobody else are there with the process."""
        for key in self.people(process).keys() - people.keys():
            self.put(process, key, None)
        for key, person in people.items():
            self.put(process, key, person)

    def collect(
        self, process: str, as_of: int, part: int, parts: int, people: dict[str, Person]
    ) -> dict[str, Person] | None:
        """Keeps one part of a process's people; everybody once the last part is there, in any order."""
        kept_as_of, kept = self._parts.get(process, (0, {}))
        if as_of < kept_as_of:
            return None
        if as_of > kept_as_of:
            kept = {}
        kept[part] = people
        self._parts[process] = as_of, kept
        if len(kept) < parts:
            return None
        return {key: person for some in kept.values() for key, person in some.items()}

    def drop(self, process: str) -> bool:
        """Nothing is known of the process. Whether it had people here."""
        self._as_of.pop(process, None)
        self._parts.pop(process, None)
        people = self._people.pop(process, {})
        for key in people:
            self._settle(key)
        return bool(people)

    def keep_only(self, process: str) -> None:
        """Nobody listens here: neither what others do nor what the sockets know is of interest."""
        for other in (self._as_of.keys() | self._parts.keys()) - {process}:
            self.drop(other)
        self.told()

    def _settle(self, key: str) -> None:
        """Two processes may know somebody by two names: everywhere the same one is shown."""
        processes = [process for process, people in self._people.items() if key in people]
        before = self.here.get(key)
        after = self._people[min(processes)][key] if processes else None
        if after == before:
            return
        known, shows = self._untold.get(key, ([], -1))
        if shows < self._shows:
            known.append(before)
        self._untold[key] = known, self._shows
        if self._shown and (before is not None or len(self.here) < self._shown[0]):
            self._shown = None
        if after is None:
            del self.here[key]
        else:
            self.here[key] = after

    # --- What the sockets are told -----------------------------------------------------------------

    @property
    def untold(self) -> bool:
        return bool(self._untold)

    def told(self) -> None:
        """No socket needs to be told of what has changed so far."""
        self._untold.clear()

    def show(self, limit: int, word: Callable[[list[Person]], T]) -> T:
        """Some who are here, for a socket that comes between two frames and so knows more than the others.

        Those who come to a crowd are all shown the same people: these are put into words once.
        """
        self._shows += 1
        if not self._shown or self._shown[:2] != (limit, word):
            self._shown = limit, word, word(list(islice(self.here.values(), limit)))
        return self._shown[2]  # type: ignore[no-any-return]

    def take_changes(self, limit: int) -> tuple[dict[str, Person], dict[str, Person]]:
        """Who has joined and who has left since the sockets were told, at most so many each.

        A new name is both. More who left wait for the next call: nobody is shown for ever. More who joined
        do not: of a crowd a client knows only some by name, and the number of all.
        """
        joined: dict[str, Person] = {}
        left: dict[str, Person] = {}
        untold, self._untold = self._untold, {}
        for key, (known, shows) in untold.items():
            after = self.here.get(key)
            gone = [person for person in known if person is not None and person != after]
            if gone and len(left) == limit:
                self._untold[key] = known, shows
                continue
            if after is not None and len(joined) < limit and any(person != after for person in known):
                joined[key] = after
            if gone:
                left[key] = gone.pop()
            if gone:
                self._untold[key] = [*gone, after], self._shows
        return joined, left
