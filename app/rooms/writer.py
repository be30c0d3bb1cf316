"""Appending to a room's log: sockets by `Writer`, sync code by `append`. Both publish what is new."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from realtime import hubs, registry
from realtime.hub import Hub
from rooms import frames
from rooms.live import ROOMS
from rooms.log import Entry, Outcome, Stored, append_all
from rooms.making import Birth
from rooms.models import Room
from topics import writer
from topics.people import Person
from topics.writer import RETRY_AFTER_MS as RETRY_AFTER_MS


class Writer(writer.Writer):
    @classmethod
    def here(cls, hub: Hub) -> "Writer":
        return registry.here().get(cls, lambda: cls(hub))

    def log_of(self, entry: Entry) -> int:
        return entry.room

    def append_all(self, entries: Sequence[Entry], *, skip_locked: bool) -> list[Outcome]:
        return append_all(entries, skip_locked=skip_locked)

    def publish(self, entry: Entry, outcome: Any) -> None:
        publish(self.hub, outcome)


def publish(hub: Hub, outcome: Outcome) -> None:
    if isinstance(outcome, Stored) and outcome.fresh:
        hub.publish(str(outcome.room), outcome.epoch, outcome.seq, frames.message(outcome))


def append(room: Room, *, id: str, person: Person, body: str, address: str = "") -> Stored:
    """For sync code: stores, and publishes once it is committed. Raises whatever other outcome there is."""
    birth = None if room.is_made else Birth(room, address)
    outcome = append_all([Entry(room.pk, id, person, body, birth)])[0]
    if not isinstance(outcome, Stored):
        raise outcome
    if outcome.fresh:
        transaction.on_commit(lambda: hubs.from_any_thread(ROOMS, lambda hub: publish(hub, outcome)))
    return outcome
