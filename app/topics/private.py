"""What a topic's class says of topics that are in nobody's lists but their readers'.

`may` alone decides who gets in. This is about what tells of many topics at once, and must not ask about each: `recent`
leaves private topics out; searches look in those of the reader; news tell of them to their readers.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from topics.people import Person


class Private:
    """`private` is how the names of such topics begin, as "chat/secret-" does; empty where there are none."""

    private: ClassVar[str] = ""

    @classmethod
    def of_reader(cls, person: "Person") -> Iterable[str]:
        """Names of the private topics that the person may read."""
        return ()

    @classmethod
    def readers_of(cls, names: Collection[str], people: Collection[str]) -> Mapping[str, Collection[str]]:
        """For each of these private topics, by name, which of these people, by key, may read it."""
        return {}
