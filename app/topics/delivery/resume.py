"""What a socket is told when it joins topics: any number of them by two queries."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

from django.db.models import Exists, OuterRef

from realtime.audience import in_words, numbered_in
from realtime.contract import Dialect, Numbered
from topics import wording
from topics.delivery import frames
from topics.delivery.live import worded
from topics.growing import grown
from topics.models import Growing, Installation, Log
from topics.storing import logs
from topics.storing.log import Stored
from topics.storing.replay import Page, read_all

LATEST: Final = 50  # events that a newcomer sees,
JOINED_BYTES: Final = 32 * 1024  # as far as they fit
FARTHEST: Final = 1_000  # events that somebody who returns may have missed without starting afresh


class Snapshot(NamedTuple):
    """What a socket is shown: frames up to `position`, in a log whose last number is `seq`.

    Where nothing has been appended yet the epoch is empty; `epoch_to_be` is then the one that the log will have.
    """

    epoch: str
    seq: int
    recovered: bool
    frames: list[str]
    position: int
    epoch_to_be: str
    unread: int | None = None  # where the topic counts it
    grows: bool = False  # whether an event of it is being written
    growing: Sequence[str] = ()  # what those of them that the client has already say by now


class Wish(NamedTuple):
    """To be told what came in the topic after that number of that epoch, or else the latest: in that dialect."""

    topic: str
    since: int | None = None
    epoch: str | None = None
    dialect: Dialect | None = None


def snapshots(wishes: Collection[Wish]) -> dict[Wish, Snapshot]:
    logs_that_grow = Log.objects.annotate(grows=Exists(Growing.objects.filter(log=OuterRef("pk"))))
    found = {log.name: log for log in logs_that_grow.filter(name__in={wish.topic for wish in wishes})}
    pages = {wish: page_for(wish, found[wish.topic]) for wish in wishes if wish.topic in found}
    for log in found.values():
        logs.remember(log)
    read, words = read_all(pages.values()), Words()
    shown = {wish: _shown(wish, found[wish.topic], words.of(wish, read[page])) for wish, page in pages.items()}
    growing = grown.so_far([log for log in found.values() if log.grows])
    for wish in shown if growing else ():
        shown[wish] = _with_growing(wish, shown[wish], growing.get(wish.topic))
    return shown | _empty([wish for wish in wishes if wish not in pages])


class Words:
    """What is shown to many is worded once."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int, Dialect | None], Numbered] = {}

    def of(self, wish: Wish, events: Iterable[Stored]) -> list[Numbered]:
        return [self._word(wish.topic, stored, wish.dialect) for stored in events]

    def _word(self, topic: str, stored: Stored, dialect: Dialect | None) -> Numbered:
        key = topic, stored.seq, dialect
        if key not in self._found:
            self._found[key] = Numbered(stored.seq, in_words(dialect, worded(topic, stored)))
        return self._found[key]


def page_for(wish: Wish, log: Log) -> Page:
    after = wish.since if wish.since is not None and can_resume(wish, log) else max(0, log.seq - LATEST)
    return Page(log.pk, after, min(LATEST, log.seq - after))


def can_resume(wish: Wish, log: Log) -> bool:
    """Who was there before the first event has epoch "" and 0, and missed everything since."""
    if wish.since is None or not log.pruned <= wish.since <= log.seq or log.seq - wish.since > FARTHEST:
        return False
    return wish.epoch == log.epoch or (wish.epoch, wish.since) == ("", 0)


def _with_growing(wish: Wish, snapshot: Snapshot, growing: dict[int, str] | None) -> Snapshot:
    """Who has an event that grows has what it said when she left."""
    if growing is None:
        return snapshot
    had = wish.since or 0 if snapshot.recovered else 0
    so_far = [frames.more(wish.topic, seq, 0, text) for seq, text in growing.items() if seq <= had]
    words = [in_words(wish.dialect, frame) for frame in so_far]
    return snapshot._replace(grows=True, growing=[word for word in words if word])


def _empty(wishes: Sequence[Wish]) -> dict[Wish, Snapshot]:
    """Of topics without a log."""
    shown = {}
    lineage = Installation.here().lineage if wishes else ""
    for wish in wishes:
        logs.forget(wish.topic)
        epoch = logs.epoch_to_be(wish.topic, lineage)
        recovered = wish.since == 0 and wish.epoch in {"", epoch}
        shown[wish] = Snapshot("", 0, recovered, [], 0, epoch)
    return shown


def _shown(wish: Wish, log: Log, page: list[Numbered]) -> Snapshot:
    events = [event for event in page if event.seq <= log.seq]
    if wish.since is not None and can_resume(wish, log):
        return resumed(log.epoch, log.seq, wish.since, events)
    fit = wording.fitting([event.frame for event in reversed(events)], JOINED_BYTES)[::-1]
    return Snapshot(log.epoch, log.seq, False, fit, log.seq, log.epoch)


def remembered(epoch: str, since: int, missed: list[Numbered], dialect: Dialect | None) -> Snapshot:
    """For one who has everything up to `since`, of what the process itself has heard."""
    seq = missed[-1].seq if missed else since
    return resumed(epoch, seq, since, numbered_in(dialect, missed[:LATEST]))


def resumed(epoch: str, seq: int, since: int, missed: list[Numbered]) -> Snapshot:
    """For one who has everything up to `since`, of whose missed events these are the first: as many as fit."""
    fit = wording.fitting([event.frame for event in missed], JOINED_BYTES)
    last = missed[len(fit) - 1].seq if fit else since
    return Snapshot(epoch, seq, True, fit, seq if len(fit) == len(missed) < LATEST else last, epoch)
