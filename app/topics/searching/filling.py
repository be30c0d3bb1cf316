"""The words of events, which follow their logs: what is appended costs no more, and can be searched a moment later.

A change of an event has a number of its own, so whoever goes on from the last number meets it, and puts the words that
the event has by now in place of the others. Who searches fills in what has just come; the processes that serve sockets
do the rest (`Filler`), a twentieth of the time, and whatever they have not come to is told as `behind`.
"""

import asyncio
import json
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now

from realtime import request_id
from realtime.registry import ended
from topics import routes
from topics.errors import NoSuchTopic
from topics.models import Entry, Filled, Log, Words
from topics.searching.words import kept
from topics.storing import database
from topics.storing.replay import CHANGED

if TYPE_CHECKING:
    from topics.topic import Topic

AT_ONCE: Final = 200  # entries in one transaction
LOGS: Final = 100  # in one look
PAUSES: Final = 19  # times as long as the filling before
EVERYTHING_SECONDS: Final = 600  # all logs are looked at so often, else those that have changed lately
LATELY: Final = CHANGED + timedelta(seconds=60)

logger = logging.getLogger(__name__)


def searchable() -> "list[type[Topic]]":
    return [kind for kind in routes.classes if kind.searched]


def behind(kinds: "Iterable[type[Topic]]", lately: bool) -> list[Log]:
    """Logs of these classes whose words are not all there, those that changed last first; LOGS at most."""
    named = Q()
    for kind in kinds:
        named |= Q(name__startswith=kind.route.partition("<")[0])
    if not named:
        return []
    reached = Coalesce(F("filled__seq"), 0)  # annotated, as a filter alone would leave out the logs that have none
    found = Log.objects.annotate(reached=reached).filter(named, seq__gt=F("reached"))
    if lately:
        found = found.filter(changed_at__gte=Now() - LATELY)
    return list(found.order_by("-changed_at")[:LOGS])


def fill(log: Log, limit: int) -> bool:
    """The words of the log's next entries, at most so many. Whether more are left, or somebody else is at it."""
    left = limit
    while left > 0:
        some = min(left, AT_ONCE)
        looked = _fill(log, some)
        if looked is None:
            return True
        if looked < some:
            return False
        left -= some
    return Log.objects.filter(pk=log.pk, seq__gt=F("filled__seq")).exists()


def _fill(log: Log, limit: int) -> int | None:
    """How many entries it has looked at. None: somebody else does it."""
    with transaction.atomic():
        Filled.objects.get_or_create(log_id=log.pk)
        filled = Filled.objects.select_for_update(skip_locked=True).filter(log_id=log.pk).first()
        if filled is None:
            return None
        next_ones = Entry.objects.filter(log_id=log.pk, seq__gt=filled.seq).order_by("seq")
        numbers = list(next_ones.values_list("seq", "about")[:limit])
        if not numbers:
            return 0
        changed = {seq if about is None else about for seq, about in numbers}
        _replace(log, list(Entry.objects.filter(log_id=log.pk, seq__in=changed, about=None)))
        filled.seq = numbers[-1][0]
        filled.save()
        return len(numbers)


def _replace(log: Log, entries: Sequence[Entry]) -> None:
    texts = {entry.pk: kept(text_of(log.name, entry.data)) for entry in entries}
    Words.objects.filter(pk__in=[key for key, text in texts.items() if not text]).delete()
    Words.objects.bulk_create(
        [Words(entry_id=key, log_id=log.pk, text=text) for key, text in texts.items() if text],
        update_conflicts=True,
        unique_fields=["entry"],
        update_fields=["log", "text"],
    )


def text_of(name: str, data: str) -> str:
    """What is searched of an event's data, which is JSON text: what its topic names, where that is text."""
    try:
        fields = routes.find(name).searched
    except NoSuchTopic:
        return ""
    return "\n".join(_texts(json.loads(data), fields)) if fields else ""


def _texts(data: Any, fields: Sequence[str]) -> Iterator[str]:
    for field in fields if isinstance(data, dict) else ():
        if isinstance(text := data.get(field), str):
            yield text


class Filler:
    """One a loop, in the background."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._everything: float | None = None  # when all logs were looked at

    def go(self) -> None:
        """To be called every few seconds."""
        if self._task is None and searchable():
            self._task = asyncio.create_task(self._work(), context=request_id.apart())

    async def finish(self) -> None:
        """Whatever it has not come to, another process does, or this one later."""

    async def close(self) -> None:
        await ended([self._task])

    async def _work(self) -> None:
        try:
            await self._fill()
        except DatabaseError as error:
            logger.warning("what has been said lately cannot be searched yet: %s", error)
        except Exception:
            logger.exception("what has been said lately cannot be searched yet")
        finally:
            self._task = None

    async def _fill(self) -> None:
        now = time.monotonic()
        lately = self._everything is not None and now - self._everything < EVERYTHING_SECONDS
        found = await database.run(database.readers, behind, searchable(), lately)
        for log in found:
            more = True
            while more:
                began = time.monotonic()
                more = await database.run(database.readers, fill, log, AT_ONCE)
                await asyncio.sleep(PAUSES * (time.monotonic() - began))
        if not lately and len(found) < LOGS:
            self._everything = now
