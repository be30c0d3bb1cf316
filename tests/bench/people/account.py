"""Whether everything that was acknowledged is in the database, once and under its number, and was heard by all."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from bench.people.hearing import Hearing
from bench.people.talk import until

Log = Sequence[tuple[int, str]]
"""(seq, id) of one room's messages, in order."""


async def everybody_heard(logs: Mapping[str, Log], people: Sequence[Hearing]) -> None:
    """Who has not heard as many as there are when time is over is found when accounts are settled."""
    with suppress(TimeoutError):
        await until(lambda: all(person.count >= len(logs[person.room]) for person in people))


def first_complaint(
    logs: Mapping[str, Log], said: Mapping[str, str], acked: Mapping[str, int], people: Sequence[Hearing]
) -> str:
    """The first room's in which something is wrong. `said` has the room of each id, `acked` its number."""
    for room, log in logs.items():
        said_here = {id for id, there in said.items() if there == room}
        acked_here = {id: acked[id] for id in said_here if id in acked}
        if words := complaint(log, said_here, acked_here, [person for person in people if person.room == room]):
            return words
    return ""


def complaint(log: Log, said: set[str], acked: Mapping[str, int], people: Sequence[Hearing]) -> str:
    """What is wrong with one room, in one sentence; nothing where all is well."""
    numbers = {id: seq for seq, id in log}
    wrong = [words for person in people for words in person.wrong]
    numbered = any(person.numbered for person in people)
    checks = {
        f"{len(log) - len(numbers)} stored twice": len(log) != len(numbers),
        "numbers with a hole": numbered and [seq for seq, _ in log] != list(range(1, len(log) + 1)),
        "an ack that is not in the log": any(numbers.get(id) != seq for id, seq in acked.items()),
        f"{len(numbers.keys() - said)} that nobody said": not numbers.keys() <= said,
        f"{len(said) - len(acked)} without an ack": len(said) != len(acked),
        "somebody who did not hear everything once": not all(heard_all(person, log) for person in people),
        f"{len(wrong)} complaints, such as {wrong[:3]}": bool(wrong),
    }
    return "; ".join(words for words, is_so in checks.items() if is_so)


def heard_all(person: Hearing, log: Log) -> bool:
    """Whoever keeps what was heard has it compared; the others have complained of each number that did not follow."""
    return sorted(person.heard) == sorted(log) if person.keeps else person.count == len(log)
