"""Whether everything that was acknowledged is in the database, once and under its number, and was heard by all."""

from collections.abc import Mapping, Sequence

from bench.people.person import Person

Log = Sequence[tuple[int, str]]


def complaint(
    log: Log, acked: Mapping[str, int], said: Mapping[str, str], people: Sequence[Person], *, numbered: bool = True
) -> str:
    """What is wrong with one room, in one sentence; nothing where all is well.

    `log` is the room's (seq, id) in order. `numbered` rooms count 1, 2, 3….
    """
    numbers = {id: seq for seq, id in log}
    wrong = [words for person in people for words in person.wrong]
    checks = {
        f"{len(log) - len(numbers)} messages stored twice": len(log) != len(numbers),
        "numbers with a hole": numbered and [seq for seq, _ in log] != list(range(1, len(log) + 1)),
        "an ack that is not in the log": any(numbers.get(id) != seq for id, seq in acked.items()),
        f"{len(numbers.keys() - said.keys())} messages that nobody said": not numbers.keys() <= said.keys(),
        f"{len(said) - len(acked)} messages without an ack": len(said) != len(acked),
        "somebody who did not hear everything once": any(not heard_all(person, log) for person in people),
        f"{len(wrong)} complaints, such as {wrong[:3]}": bool(wrong),
    }
    return "; ".join(words for words, is_so in checks.items() if is_so)


def heard_all(person: Person, log: Log) -> bool:
    """Numbers that follow each other up to the last one are heard once each; else ids are compared."""
    if person.keeps:
        return sorted(person.heard) == sorted(log)
    return person.count == len(log)
