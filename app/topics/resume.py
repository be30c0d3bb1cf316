"""What a socket is told when it joins topics: any number of them by two queries."""

from collections.abc import Collection
from typing import Final, NamedTuple

from topics import logs, wording
from topics.live import worded
from topics.log import Stored
from topics.models import Log
from topics.replay import Page, read_all

LATEST: Final = 50  # events that a newcomer sees,
JOINED_BYTES: Final = 32 * 1024  # as far as they fit
FARTHEST: Final = 1_000  # events that somebody who returns may have missed without starting afresh


class Snapshot(NamedTuple):
    """What a socket is shown: frames up to `position`, in a log whose last number is `seq`.

    Where nothing has been appended yet the epoch is empty.
    """

    epoch: str
    seq: int
    recovered: bool
    frames: list[str]
    position: int
    unread: int | None = None  # where the topic counts it


class Wish(NamedTuple):
    """To be told what came in the topic after that number of that epoch, or else the latest."""

    topic: str
    since: int | None = None
    epoch: str | None = None


def snapshots(wishes: Collection[Wish]) -> dict[Wish, Snapshot]:
    found = {log.name: log for log in Log.objects.filter(name__in={wish.topic for wish in wishes})}
    pages = {wish: page_for(wish, found[wish.topic]) for wish in wishes if wish.topic in found}
    for log in found.values():
        logs.remember(log)
    read = read_all(pages.values())
    return {
        wish: _shown(wish, found[wish.topic], read[pages[wish]]) if wish in pages else _empty(wish) for wish in wishes
    }


def page_for(wish: Wish, log: Log) -> Page:
    after = wish.since if wish.since is not None and can_resume(wish, log) else max(0, log.seq - LATEST)
    return Page(log.pk, after, min(LATEST, log.seq - after))


def can_resume(wish: Wish, log: Log) -> bool:
    """Who was there before the first event has epoch "" and 0, and missed everything since."""
    if wish.since is None or not log.pruned <= wish.since <= log.seq or log.seq - wish.since > FARTHEST:
        return False
    return wish.epoch == log.epoch or (wish.epoch, wish.since) == ("", 0)


def _empty(wish: Wish) -> Snapshot:
    return Snapshot("", 0, (wish.since, wish.epoch) == (0, ""), [], 0)


def _shown(wish: Wish, log: Log, page: list[Stored]) -> Snapshot:
    events = [(stored.seq, worded(wish.topic, stored)) for stored in page if stored.seq <= log.seq]
    if wish.since is None or not can_resume(wish, log):
        fit = wording.fitting([frame for _, frame in reversed(events)], JOINED_BYTES)[::-1]
        return Snapshot(log.epoch, log.seq, False, fit, log.seq)
    fit = wording.fitting([frame for _, frame in events], JOINED_BYTES)
    complete = len(fit) == len(events) < LATEST
    last = events[len(fit) - 1][0] if fit else wish.since
    return Snapshot(log.epoch, log.seq, True, fit, log.seq if complete else last)
