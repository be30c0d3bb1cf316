"""Looks once a second what is new in the topics that `News` is about, for those who follow theirs in this process.

A query by time finds the logs that have changed, whoever has appended, and another one what was said in them. So an
append does nothing for the news, a room of a thousand costs what a room of two does, and Redis is not asked. What one
look tells is bounded; the rest waits for the next one.
"""

import asyncio
import json
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, cast

from django.db.models import Max, Q
from django.db.models.functions import Now

from realtime import hubs
from realtime.failures import contained, keep
from realtime.feed import Feed
from realtime.registry import ended
from topics import news
from topics.data import encoded
from topics.delivery import frames
from topics.delivery.live import PREFIX, TOPICS, Present
from topics.models import Entry, Log, Read
from topics.people import public_key_of
from topics.storing import database
from topics.storing.replay import CHANGED
from topics.wording import timestamp

EVERY_SECONDS: Final = 1.0
PAUSES: Final = 9  # times as long as the look before
CHANGED_LOGS: Final = 2_000  # that have changed lately, in one look
TOLD: Final = 100  # logs in one look
FOR_ALL: Final = 10  # of these, that everybody is told of, whether she reads them or not
SAID: Final = 10  # of a log's last events
MOST_READ: Final = 1_000  # logs of a person that are looked at
LATE_READS: Final = 200  # rows whose transactions may have ended after that of a later one
SLICE: Final = 100  # people who are told before others get a turn

Here = Mapping[str, Collection[object]]
"""Who is here: by her key, the sockets and streams by which she follows her news."""


class Look:
    """What a process knows of one class of news from one look to the next."""

    def __init__(self, kind: type[news.News]) -> None:
        self._kind = kind
        self._here: Here = {}
        self._told: dict[int, int] = {}  # up to which number, by log
        self._reads: dict[str, set[int]] = {}  # which logs, by person
        self._last_read = 0

    def look(self, here: Here) -> dict[str, str]:
        """What each is to be told, as JSON, by her key. Who has just come is told all that has changed lately."""
        came = {key for key, followers in here.items() if not set(followers) <= set(self._here.get(key, ()))}
        self._learn_reads(here)
        rows = Log.objects.filter(changed_at__gte=Now() - CHANGED, name__startswith=self._kind.beginning(), seq__gt=0)
        latest = rows.order_by("-changed_at").values_list("pk", "name", "seq", "changed_at")[:CHANGED_LOGS]
        found = {row[0]: row for row in latest}
        private = {key for key, name, *_ in found.values() if self._is_private(name)}
        untold = {key for key, _, seq, _ in found.values() if self._told.get(key) != seq}
        for_all = [key for key in found if key in untold - private][:FOR_ALL]
        turns = {log: turn for turn, log in enumerate(self._told)}

        def longest_ago(logs: Collection[int]) -> list[int]:
            return sorted(logs, key=lambda log: turns.get(log, -1))[:TOLD]

        looked_at = longest_ago(private if came else private & untold)
        readers = self._readers({found[log][1]: log for log in looked_at}, here)
        hers: dict[str, frozenset[int]] = {}
        for key in here:
            wanted = (self._reads[key] & found.keys()) - private | readers.get(key, set())
            if key not in came:
                wanted &= untold
            hers[key] = frozenset(wanted.union(for_all))
        asked = set[int]().union(*hers.values())
        chosen = set(longest_ago(asked))
        chosen.update(set(looked_at) - asked)  # of which nobody here is to be told
        told = self._words([found[log] for log in found if log in chosen & asked])
        kept = {log: seq for log, seq in self._told.items() if log in found and log not in chosen}
        self._told = kept | {log: found[log][2] for log in chosen}
        self._here = {key: tuple(followers) for key, followers in here.items()}
        return _for_each(hers, told)

    def _learn_reads(self, here: Here) -> None:
        self._reads = {key: logs for key, logs in self._reads.items() if key in here}
        new = [key for key in here if key not in self._reads]
        if self._reads:
            lately = Read.objects.filter(pk__gt=self._last_read - LATE_READS)
            for pk, key, log in lately.order_by("pk").values_list("pk", "reader", "log_id"):
                self._last_read = max(self._last_read, pk)
                if key in self._reads:
                    self._reads[key].add(log)
        else:
            self._last_read = Read.objects.aggregate(last=Max("pk"))["last"] or 0
        for first in range(0, len(new), 500):
            some = new[first : first + 500]
            self._reads.update({key: set() for key in some})
            for key, log in Read.objects.filter(reader__in=some).values_list("reader", "log_id"):
                if len(self._reads[key]) < MOST_READ:
                    self._reads[key].add(log)

    def _is_private(self, name: str) -> bool:
        beginning = self._kind.about.private
        return bool(beginning) and name.startswith(beginning)

    def _readers(self, private: Mapping[str, int], here: Here) -> dict[str, set[int]]:
        """Which of these logs each may read; asked anew in each look, as that may end."""
        found: dict[str, set[int]] = {}
        for name, people in self._kind.about.readers_of(private, here).items() if private else ():
            for key in people:
                found.setdefault(key, set()).add(private[name])
        return found

    def _words(self, logs: Sequence[tuple[int, str, int, Any]]) -> dict[int, dict[str, Any]]:
        """Of each log its name, its last number, and what came by its last ones: numbers and keys, no words. Who has
        heard some of it before knows it by the number.
        """
        last = Q()
        for log, _, seq, _ in logs:
            last |= Q(log=log, seq__gt=seq - SAID, seq__lte=seq)
        said: dict[int, list[list[Any]]] = {log: [] for log, *_ in logs}
        changed: dict[int, int] = {}
        rows = Entry.objects.filter(last).order_by("log_id", "seq") if last else Entry.objects.none()
        for log, seq, author, data, about, retracted in rows.values_list(
            "log_id", "seq", "author", "data", "about", "retracted"
        ):
            if about is not None:
                changed[log] = seq
            elif not retracted:
                said[log].append([seq, public_key_of(author) if author else "", *self._addressed(data)])
        return {
            log: {"topic": name, "seq": seq, "at": timestamp(at), "said": said[log]}
            | ({"changed": changed[log]} if log in changed else {})
            for log, name, seq, at in logs
        }

    def _addressed(self, data: str) -> list[str]:
        if f'"{self._kind.addressed}":[' not in data:
            return []
        found = json.loads(data)
        keys = found.get(self._kind.addressed) if isinstance(found, dict) else None
        return [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else []


def _for_each(hers: Mapping[str, frozenset[int]], told: Mapping[int, dict[str, Any]]) -> dict[str, str]:
    """Those who are to be told the same share one text."""
    texts: dict[frozenset[int], str] = {}
    answer = {}
    for key, logs in hers.items():
        if logs not in texts:
            found = [told[log] for log in told if log in logs]
            texts[logs] = encoded({"news": found}) if found else ""
        if texts[logs]:
            answer[key] = texts[logs]
    return answer


class Looker:
    """One a loop, in the background."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._looks: dict[type[news.News], Look] = {}

    def go(self) -> None:
        """To be called whenever somebody has come to follow hers."""
        if self._task is None and news.kinds:
            self._task = keep("the news", self._run)

    async def finish(self) -> None:
        """What was not told is seen by the next page."""

    async def close(self) -> None:
        await ended([self._task])

    async def _run(self) -> None:
        while True:
            began = time.monotonic()
            for kind in tuple(news.kinds):
                with contained("the news"):
                    await self.look(kind)
            await asyncio.sleep(max(EVERY_SECONDS, PAUSES * (time.monotonic() - began)))

    async def look(self, kind: type[news.News]) -> None:
        feeds = _followed(kind)
        if not feeds:
            self._looks.pop(kind, None)
            return
        here = {key: followers for key, (_, followers) in feeds.items()}
        told = await database.run(database.readers, self._looks.setdefault(kind, Look(kind)).look, here)
        for place, (key, text) in enumerate(told.items(), 1):
            feed, _ = feeds[key]
            feed.cast(frames.signal(feed.room.removeprefix(PREFIX), None, text))
            if place % SLICE == 0:
                await asyncio.sleep(0)


def _followed(kind: type[news.News]) -> dict[str, tuple[Feed, list[object]]]:
    """By the key of the person whose news it is."""
    beginning, found = PREFIX + kind.route.partition("<")[0], {}
    for room, feed in hubs.here(TOPICS).feeds.items():
        if room.startswith(beginning) and (followers := list(feed.live)):
            found[cast(Present, followers[0]).person.key] = feed, cast(list[object], followers)
    return found
