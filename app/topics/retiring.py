"""Takes the names of those who have left out of the logs, in the background: see topics.former.

Each transaction takes some hundred events of one log, and what is left to do follows from what stands in the logs. So
whoever is interrupted, or meets another process at it, has nothing to remember.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Collection
from datetime import timedelta
from operator import attrgetter
from typing import Any, Final, NamedTuple

from django.contrib.auth import get_user_model
from django.db import Error as DatabaseError
from django.db import transaction
from django.utils import timezone

from realtime import request_id
from realtime.registry import ended
from topics import routes
from topics.data import encoded
from topics.errors import NoSuchTopic
from topics.models import Entry, Leaving, Log, Read
from topics.people import FORMER, key_of, of_key
from topics.storing import database, log
from topics.storing.log import Stored
from topics.storing.outcomes import Locked

AT_ONCE: Final = 500  # events in one transaction
PEOPLE: Final = 100  # in one look
PAUSES: Final = 4  # times as long as the step before
STILL_COMING: Final = timedelta(seconds=60)  # what a process has accepted that has not heard yet that she has left

logger = logging.getLogger(__name__)

Tell = Callable[[str, Stored], None]
"""(topic's name, change): has its followers told."""


class Step(NamedTuple):
    more: bool
    topic: str = ""
    changes: tuple[Stored, ...] = ()


def leaving() -> list[Any]:
    return list(Leaving.objects.order_by("at").values_list("pk", flat=True)[:PEOPLE])


def step(user: Any) -> Step:
    """The next events of one log. Where somebody else is at it, or holds the log, it is for another time."""
    try:
        with transaction.atomic():
            return _step(user)
    except Locked:
        return Step(more=False)


def _step(user: Any) -> Step:
    row = Leaving.objects.select_for_update(skip_locked=True).filter(pk=user).first()
    if row is None:
        return Step(more=False)
    theirs = Entry.objects.filter(user=user).order_by()
    key = theirs.values_list("log_id", flat=True).first()
    if key is None:
        if row.at < timezone.now() - STILL_COMING:
            _end(user)
        return Step(more=False)
    taken = list(theirs.filter(log_id=key).values_list("pk", "about")[:AT_ONCE])
    topic = Log.objects.values_list("name", flat=True).get(pk=key)
    Entry.objects.filter(pk__in=[entry for entry, _ in taken]).update(user=None, name=FORMER)
    changes = _rename(user, key, topic, {about for _, about in taken if about})
    if len(taken) < AT_ONCE:
        changes += _tell(user, key)
    return Step(True, topic, tuple(changes)) if changes else Step(more=True)


def _rename(user: Any, key: int, name: str, seqs: Collection[int]) -> list[Stored]:
    """Events whose data may have her name, since she has changed them."""
    try:
        topic, now = routes.find(name), of_key(key_of(user), FORMER, guest=False)
    except NoSuchTopic:
        return []
    renamed = []
    for entry in Entry.objects.filter(log_id=key, seq__in=seqs, retracted=False, growing=None):
        data = json.loads(entry.data)
        if (text := encoded(topic.renamed(data, now))) != encoded(data):
            entry.data = text
            renamed.append(entry)
    return _changed(renamed)


def _tell(user: Any, key: int) -> list[Stored]:
    """The last of these events is changed, into what it says already: by her, under the name that she has now."""
    said = Entry.objects.filter(log_id=key, author=key_of(user), about=None, retracted=False, growing=None)
    last = said.order_by("-seq").first()
    return _changed([last] if last else [])


def _changed(entries: list[Entry]) -> list[Stored]:
    changes = log.change_all(entries, skip_locked=True)
    if len(changes) < len(entries):
        raise Locked("the log")
    return sorted(changes.values(), key=attrgetter("seq"))


def _end(user: Any) -> None:
    Read.objects.filter(reader=key_of(user)).delete()
    Leaving.objects.filter(pk=user).delete()
    get_user_model()._default_manager.filter(pk=user).delete()


class Retiring:
    """One a loop."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def go(self, tell: Tell) -> None:
        """To be called every few seconds."""
        if self._task is None:
            self._task = asyncio.create_task(self._work(tell), context=request_id.apart())

    async def finish(self) -> None:
        """Whatever it has not come to, another process does, or this one later."""

    async def close(self) -> None:
        await ended([self._task])

    async def _work(self, tell: Tell) -> None:
        try:
            for user in await database.run(database.readers, leaving):
                await self._retire(user, tell)
        except DatabaseError as error:
            logger.warning("names of people who have left are still in the logs: %s", error)
        except Exception:
            logger.exception("names of people who have left are still in the logs")
        finally:
            self._task = None

    async def _retire(self, user: Any, tell: Tell) -> None:
        more = True
        while more:
            began = time.monotonic()
            more, topic, changes = await database.run(database.readers, step, user)
            for change in changes:
                tell(topic, change)
            await asyncio.sleep(PAUSES * (time.monotonic() - began))
