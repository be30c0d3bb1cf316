"""What a check has found, and how the checks of a list are asked."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from realtime.outage import kind

OK: Final = "ok"
DOUBTFUL: Final = "doubtful"  # it works, and may stop working
BROKEN: Final = "broken"


class Finding(NamedTuple):
    state: str
    says: str  # a sentence
    mend: str = ""  # the command or the line that mends it
    check: str = ""  # the check's name, which is added when it is asked


Check = Callable[..., Iterable[Finding]]


def ok(says: str) -> Finding:
    return Finding(OK, says)


def doubtful(says: str, mend: str) -> Finding:
    return Finding(DOUBTFUL, says, mend)


def broken(says: str, mend: str) -> Finding:
    return Finding(BROKEN, says, mend)


def ask(checks: Sequence[Check], *about: Any) -> Generator[Finding, None, bool]:
    """Where the first one finds something broken, the others would say the same in other words and are left out.

    Returns whether they were asked.
    """
    for place, check in enumerate(checks):
        is_broken = False
        for finding in _answers(check, *about):
            is_broken = is_broken or finding.state == BROKEN
            yield finding._replace(check=check.__name__.replace("_", " "))
        if is_broken and not place:
            return False
    return True


def _answers(check: Check, *about: Any) -> Iterator[Finding]:
    try:
        yield from check(*about)
    except Exception as error:  # one that fails hinders no other
        yield broken(f"This could not be looked at: {kind(error)}.", "The other findings may say why.")
