"""Whether two machines mean the same by now: tickets live for a minute, sessions and tokens end at a time of day."""

from typing import Final

from topics.doctor.findings import Finding, broken, doubtful, ok

NOTICED_SECONDS: Final = 2
WRONG_SECONDS: Final = 30  # half of a ticket's life


def clock(whose: str, before: float, theirs: float, after: float, exact_to: float = 0.0) -> Finding:
    """`theirs` was read between `before` and `after`, and is cut off to `exact_to` seconds."""
    ahead = max(theirs - after, before - theirs - exact_to, 0.0)
    word = "ahead of" if theirs > after else "behind"
    says = f"The clock of {whose} is {ahead:.0f} s {word} the one here."
    mend = "Let both keep time: `timedatectl set-ntp true` on the machine that is wrong."
    if ahead > WRONG_SECONDS:
        return broken(says, mend)
    if ahead > NOTICED_SECONDS:
        return doubtful(says, mend)
    return ok(f"The clock of {whose} agrees with the one here.")
