"""The end of what this process writes: in its writer's own thread, or of many together that somebody has cancelled."""

from collections.abc import Sequence
from typing import Final

from django.db import transaction

from topics import appending
from topics.growing import grown
from topics.growing.growth import Growth

ENDED_TOGETHER: Final = 50


def end(growth: Growth, status: str) -> None:
    """As its writer says. Waits for whoever ends it just now."""
    with growth.ending:
        if not growth.status:
            _end([growth], status, skip_locked=False)


def stop(growths: Sequence[Growth]) -> bool:
    """Ends them where nobody else does, or has a lock on one. Whether some are left."""
    some = [growths[first : first + ENDED_TOGETHER] for first in range(0, len(growths), ENDED_TOGETHER)]
    return any([_stopped(growths) for growths in some])  # noqa: C419


def _stopped(growths: Sequence[Growth]) -> bool:
    ours = [growth for growth in growths if growth.ending.acquire(blocking=False)]
    try:
        _end([growth for growth in ours if not growth.status], grown.CANCELLED, skip_locked=True)
    finally:
        for growth in ours:
            growth.ending.release()
    return not all(growth.status for growth in growths)


def _end(growths: Sequence[Growth], status: str, *, skip_locked: bool) -> None:
    """With all that was written, also where not all of it was stored before."""
    for growth in growths:
        growth.quiet = True  # nothing is told after the end
    try:
        with transaction.atomic():
            ended = grown.end({growth.entry: growth.data for growth in growths}, status, skip_locked=skip_locked)
            for change in filter(None, ended.values()):
                appending.told(*change)
    except BaseException:
        for growth in growths:
            growth.quiet = False
        raise
    for growth in growths:
        growth.quiet = growth.entry in ended
        if growth.quiet:
            growth.status = status if ended[growth.entry] else grown.FAILED
