"""All that waits in this process until clients take it: one budget, spent on those who read.

What may wait for one socket is bounded by its outbox, but ten thousand outboxes are more than a process has. So all
count what they hold here. Above TIGHT_BYTES who takes nothing is closed, above WAITING_BYTES whoever holds anything
gets no more and is caught up from the log later.
"""

import asyncio
from typing import Final, Protocol

from realtime import metrics
from realtime.closing import TOO_SLOW
from realtime.limits import STUCK_SECONDS, TIGHT_BYTES, WAITING_BYTES


class Holder(Protocol):
    """What holds bytes for a socket that does not take them now. `moved` is when it took some, by the loop's time."""

    @property
    def moved(self) -> float: ...
    def cut(self, code: int) -> None: ...


class Held:
    """How many bytes all of one kind hold together. No attribute of a class: each time that one is set, the interpreter
    forgets where it has found the others.
    """

    __slots__ = ("used",)

    def __init__(self) -> None:
        self.used = 0


held: Final = Held()  # by all outboxes, and by the transports that are full


holders: set[Holder] = set()


def relieve() -> None:
    """Closes those who took nothing for the longest time, as long as too much waits. They come back for the rest."""
    patience = STUCK_SECONDS if held.used <= WAITING_BYTES else 0
    if held.used <= TIGHT_BYTES:
        return
    stuck_since = asyncio.get_running_loop().time() - patience
    for holder in sorted(holders, key=lambda holder: holder.moved):
        if held.used <= TIGHT_BYTES or holder.moved > stuck_since:
            return
        metrics.goodbyes.labels(TOO_SLOW.reason).inc()
        holder.cut(TOO_SLOW.code)


metrics.waiting.set_function(lambda: held.used)
metrics.most_waiting.set(WAITING_BYTES)
