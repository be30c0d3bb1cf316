"""Reading topics from sync code."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from realtime import hubs
from topics import routes
from topics.delivery import frames
from topics.delivery.live import PREFIX, TOPICS
from topics.errors import NoSuchTopic
from topics.events import Event, Position, Recent, event_of
from topics.models import Entry, Installation, Log, Read
from topics.people import Person, person
from topics.storing import log, logs, replay, replica
from topics.storing.replay import Page
from topics.storing.unread import unread as unread_of

if TYPE_CHECKING:
    from topics.topic import Topic

MOST: Final = 1_000  # events in one answer
HIGHEST: Final = 2**63 - 1  # number that the database holds


def events(name: str, after: int, before: int | None, limit: int) -> list[Event]:
    if not all(isinstance(number, int) for number in (after, 0 if before is None else before, limit)):
        raise TypeError("after, before and limit are whole numbers.")
    key, limit = logs.known(name), min(limit, MOST)
    if key is None or limit <= 0:
        return []
    found = _events(key, after, before, limit)
    if not found and (now := logs.look(name)) and now.pk != key:  # the one that was remembered has been deleted
        found = _events(now.pk, after, before, limit)
    return found


def _events(key: int, after: int, before: int | None, limit: int) -> list[Event]:
    if before is not None:
        latest = Entry.objects.using(replica.alias()).filter(log=key, seq__gt=after, seq__lt=before).order_by("-seq")
        seqs = list(latest.values_list("seq", flat=True)[:limit])
        if not seqs:
            return []
        after, limit = seqs[-1] - 1, len(seqs)
    page = Page(key, after, limit)
    return [event_of(stored) for stored in replay.read_all([page])[page]]


def numbered(name: str, seqs: Iterable[int]) -> list[Event]:
    wanted = [seq for seq in seqs if 0 < seq <= HIGHEST]
    if len(wanted) > MOST:
        raise ValueError(f"At most {MOST} numbers at once, not {len(wanted)}.")
    entries = Entry.objects.using(replica.alias()).filter(log__name=name, seq__in=wanted, about=None).order_by("seq")
    return [event_of(log.stored(entry)) for entry in entries] if wanted else []


def event(name: str, id: str) -> Event | None:
    entry = Entry.objects.filter(log__name=name, client_id=id, about=None).order_by("seq").first()
    return event_of(log.stored(entry)) if entry else None


def position(name: str) -> Position:
    if found := logs.look(name):
        return Position(found.epoch, found.seq)
    return Position(logs.epoch_to_be(name, Installation.here().lineage), 0)


def recent(
    kind: "type[Topic]", limit: int, before: "tuple[Topic, datetime] | None", private: bool = False
) -> list[Recent]:
    beginning = kind.route.partition("<")[0]
    rows = Log.objects.filter(name__startswith=beginning, seq__gt=0).order_by("-changed_at", "name")
    if kind.private and not private:
        rows = rows.exclude(name__startswith=kind.private)
    if before is not None:
        topic, at = before
        same = at - timedelta(microseconds=1)  # SQLite compares texts, with three digits or with six
        rows = rows.filter(changed_at__lte=at).exclude(changed_at__gt=same, name__lte=topic.name)
    found: list[Recent] = []
    for name, seq, changed_at in rows.values_list("name", "seq", "changed_at")[: min(limit, MOST)]:
        try:
            topic = routes.find(name)
        except NoSuchTopic:
            continue
        if isinstance(topic, kind):
            found.append(Recent(topic, seq, changed_at))
    return found


def unread(name: str, reader: Any) -> int:
    who = person(reader)
    if who is None:
        return 0
    key = logs.known(name)
    return unread_of([(key, who.key)])[key, who.key] if key else 0


def read_up_to(name: str, reader: Any, seq: int) -> None:
    """Her tabs are told after COMMIT."""
    if not isinstance(seq, int):
        raise TypeError(f"A number is a whole one, not {seq!r}.")
    if (who := person(reader)) is None:
        return
    told, key = frames.unread(name, read_and_count(name, who, max(0, min(seq, HIGHEST)))), who.key
    transaction.on_commit(lambda: hubs.from_any_thread(TOPICS, lambda hub: hub.tell(PREFIX + name, told, to=key)))


def read_and_count(name: str, who: Person, seq: int) -> int:
    """What is left to read after that."""
    key = logs.known(name)
    if key is None:
        return 0
    _, made = Read.objects.get_or_create(log_id=key, reader=who.key, defaults={"seq": seq})
    if not made:
        Read.objects.filter(log=key, reader=who.key).update(seq=Greatest(F("seq"), seq))
    return unread_of([(key, who.key)])[key, who.key]
