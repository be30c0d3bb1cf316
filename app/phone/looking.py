"""Looks behind the rooms' logs for what somebody is to be told of, and notes it.

Nothing is done when something is said: a process that serves sockets looks which logs have changed. What it has found,
and up to where it has looked, is stored in one transaction, so whatever ends a process loses nothing, and several of
them find nothing twice.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Least
from django.utils import timezone

from phone import levels
from phone.models import ALL, NOTHING, Due, Reached, Subscription
from rooms.mentions import mentions_of
from rooms.models import Room
from rooms.topics import RoomTopic
from topics import Event

FRESH: Final = timedelta(minutes=10)  # who was told of nothing for longer, since all was down, finds it in her rooms
LOGS: Final = 500  # in one look
AT_ONCE: Final = 200  # events of a log
BEHIND: Final = 2_000  # of a log's last events
SETTLE: Final = timedelta(seconds=5)  # meanwhile who is there has read it
GATHER: Final = timedelta(seconds=60)  # for who is told of all that is said: once a minute


class Finder:
    """What a process knows from one look to the next: up to where it has looked, by the room's name."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def look(self) -> None:
        if not Subscription.objects.exists():
            return
        since = timezone.now() - FRESH
        latest = {topic.room: seq for topic, seq, at in RoomTopic.recent(LOGS, private=True) if at >= since}
        self._seen = {name: seq for name, seq in self._seen.items() if name in latest}
        for name, seq in latest.items():
            while self._seen.get(name, 0) < seq:
                self._seen[name] = find(name, max(self._seen.get(name, 0), seq - BEHIND), seq, since)


def find(name: str, after: int, seq: int, since: datetime) -> int:
    """Notes who is to be told of the room's next events. Up to which number."""
    room = Room.objects.filter(name=name).first()
    if room is None:
        return seq
    reached = Reached.objects.filter(room=room).values_list("seq", flat=True).first() or 0
    events = RoomTopic(room=name).events(after=max(after, reached), limit=AT_ONCE)
    if not events:
        return seq
    if found := list(wanted(room, [event for event in events if is_news(event, since)])):
        note(room, events[-1].seq, found)
    return events[-1].seq


def is_news(event: Event, since: datetime) -> bool:
    return event.about is None and not event.retracted and event.by is not None and event.at >= since


def wanted(room: Room, events: Sequence[Event]) -> Iterator[Due]:
    """For each browser the last event that it is to be told of."""
    mentioned = {key for event in events for key in mentions_of(event.data)}
    told = Subscription.objects.filter(public_key__in=mentioned) if mentioned else Subscription.objects.none()
    told = told.union(Subscription.objects.filter(person__in=levels.hearing_all(room)))
    browsers = list(told)
    chosen = levels.levels(room, [browser.person for browser in browsers])
    now = timezone.now()
    for browser in browsers:
        level = chosen.get(browser.person) or levels.by_default(room)
        for_her = [event for event in events if is_for(browser, event)]
        mentions = [event for event in for_her if browser.public_key in mentions_of(event.data)]
        told_of = {ALL: for_her, NOTHING: []}.get(level, mentions)
        if told_of:
            pause = SETTLE if mentions or levels.is_direct(room) else GATHER
            mention, seq = bool(mentions), told_of[-1].seq
            yield Due(subscription=browser, room=room, mention=mention, seq=seq, next_at=now + pause)


def is_for(browser: Subscription, event: Event) -> bool:
    return event.by is not None and event.by.key != browser.person and event.at >= browser.made_at


def note(room: Room, seq: int, found: Sequence[Due]) -> None:
    """What waits to be sent already goes out when it would have, or with a mention sooner, with the later number."""
    with transaction.atomic():
        Reached.objects.get_or_create(room=room)
        reached = Reached.objects.select_for_update().get(room=room)
        fresh = [due for due in found if due.seq > reached.seq]
        there = set(
            Subscription.objects.filter(pk__in={due.subscription_id for due in fresh}).values_list("pk", flat=True)
        )
        Due.objects.bulk_create(
            [due for due in fresh if due.subscription_id in there],
            update_conflicts=True,
            unique_fields=["subscription", "room"],
            update_fields=["seq"],
        )
        mentioned = Due.objects.filter(
            room=room, subscription__in=[due.subscription_id for due in fresh if due.mention]
        )
        soon = Least(F("next_at"), timezone.now() + SETTLE)
        mentioned.filter(tries=0).update(mention=True, next_at=soon)
        reached.seq = max(reached.seq, seq)
        reached.save()
