"""The topics as the hub sees them: where to read, and how its own frames are worded."""

import logging
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any, Final, Protocol, cast

from django.db import Error as DatabaseError

from realtime import hubs, registry
from realtime.closing import DELETED, FORBIDDEN, RESTART, Goodbye
from realtime.contract import Changed, Follower, Numbered
from realtime.feed import Feed
from realtime.hub import Hub
from realtime.standing import Notice, Verdict
from topics import permission
from topics.delivery import frames
from topics.growing import grown
from topics.growing.grown import Unheard
from topics.models import Installation, Log
from topics.people import Person, shown
from topics.retiring import Retiring
from topics.searching.filling import Filler
from topics.storing import database, logs, replay
from topics.storing.gathering import Gathering
from topics.storing.log import Stored
from topics.storing.replay import Page
from topics.topic import Topic
from topics.who import claims, notices
from topics.who.identity import Identity
from topics.who.standing import Accounts, portions

logger = logging.getLogger(__name__)

PAGES: Final = 8  # read together: of 200 events each, which may be long
PREFIX: Final = "topic:"  # of a topic's key in the hub, before its name

Asked = tuple[str, int, int]
"""A topic's name, the number after which, and at most how many."""


class Present(Follower, Protocol):
    """A socket or a stream."""

    @property
    def person(self) -> Person: ...
    @property
    def identity(self) -> Identity: ...
    @property
    def followed(self) -> Sequence[Topic]: ...
    @property
    def following(self) -> Collection[Feed]: ...


class Topics:
    """One for the process; the hubs of all loops share it."""

    def __init__(self) -> None:
        self._accounts = Accounts()
        self._unheard = Unheard()

    async def identity(self) -> str:
        return await database.run(database.readers, Installation.identity)

    async def judge(self, followers: Sequence[Follower], doubted: bool) -> Verdict:
        """Whose session is over goes, and who follows a log that is gone or another one by now.

        Who is doubted is asked about anew in each of her topics, too.
        """
        present = cast(Sequence[Present], followers)
        held = {one: claim for one in present if (claim := claims.claim_of(one.identity))}
        people = {claim: one.person for one, claim in held.items()}
        over = await database.run(database.readers, claims.over, self._accounts, people, doubted) if people else {}
        verdict = Verdict({one: over[claim] for one, claim in held.items() if claim in over}, {})
        verdict.rooms.update(await self._lost(present))
        if doubted:
            await self._ask_again([one for one in present if one not in verdict.followers])
        return verdict

    async def _lost(self, present: Sequence[Present]) -> dict[str, Goodbye]:
        """Puts them out of logs that are gone. Who follows one that is another by now starts afresh: these logs."""
        known = {feed: name_of(feed) for one in present for feed in one.following if feed.seq and feed.epoch}
        epochs = await database.run(database.readers, epochs_of, set(known.values())) if known else {}
        gone = {feed for feed, name in known.items() if name not in epochs}
        for one in present if gone else ():
            for feed in [feed for feed in one.following if feed in gone]:
                one.put_out(feed.room, DELETED)
        return {feed.room: RESTART for feed, name in known.items() if feed not in gone and epochs[name] != feed.epoch}

    async def _ask_again(self, present: Sequence[Present]) -> None:
        """Puts them out of what they may not read any more."""
        asked = {(topic, one.person) for one in present for topic in one.followed}
        try:
            forbidden = await permission.not_readable(asked)
        except DatabaseError as error:  # whose session is over goes all the same
            logger.warning("it could not be asked who may still read: %s", error)
            return
        for one in present if forbidden else ():
            for topic in one.followed:
                if why := forbidden.get((topic, one.person)):
                    one.put_out(PREFIX + topic.name, FORBIDDEN._replace(detail=str(why)))

    async def read(self, key: str, after: int, limit: int) -> list[Numbered]:
        """Topics that are opened together, after a deploy for example, are read together."""
        reading = registry.here().get(pages, lambda: Gathering(pages, PAGES))
        return await reading.ask((key.removeprefix(PREFIX), after, limit))

    async def changed(self, seconds: float) -> list[Changed]:
        await self._give_up()
        registry.here().get(Filler, Filler).go()
        registry.here().get(Retiring, Retiring).go(partial(publish, hubs.here(self)))
        found = await database.run(database.readers, replay.changed, seconds)
        return [Changed(PREFIX + name, epoch, seq) for name, epoch, seq in found]

    async def _give_up(self) -> None:
        """Ends the events whose writers were killed. Where several processes look, one of them does."""
        for entry in await database.run(database.readers, self._unheard.look):
            if ended := await database.run(database.readers, grown.give_up, entry):
                publish(hubs.here(self), *ended)

    async def notices(self, seconds: float) -> list[Notice]:
        return [noticed(one) for one in await database.run(database.readers, notices.recent, seconds)]

    def rewrites(self, frame: str) -> bool:
        return frame.startswith(frames.CHANGE)

    def seq_frame(self, key: str, seq: int, epoch: str) -> str:
        return frames.seq(key.removeprefix(PREFIX), seq, epoch)

    def presence_frame(
        self, key: str, joined: list[dict[str, Any]], left: list[dict[str, Any]], member_count: int
    ) -> str:
        return frames.presence(key.removeprefix(PREFIX), joined, left, member_count)


TOPICS: Final = Topics()


def name_of(feed: Feed) -> str:
    return feed.room.removeprefix(PREFIX)


def epochs_of(names: Collection[str]) -> dict[str, str]:
    """Of the logs that are there. One that is gone is not remembered either."""
    found: dict[str, str] = {}
    for some in portions(names):
        found.update(Log.objects.filter(name__in=some).values_list("name", "epoch"))
    for name in names:
        if name not in found:
            logs.forget(name)
    return found


def pages(asked: list[Asked]) -> Sequence[list[Numbered]]:
    """What each asked for. A topic that has no log yet has nothing."""
    wanted = {one: Page(key, one[1], one[2]) for one in asked if (key := logs.known(one[0]))}
    read = replay.read_all(wanted.values())
    return [[numbered(one[0], stored) for stored in read[wanted[one]]] if one in wanted else [] for one in asked]


def numbered(topic: str, stored: Stored) -> Numbered:
    return Numbered(stored.seq, worded(topic, stored))


def worded(topic: str, stored: Stored) -> str:
    """An entry of the topic's log as its followers are sent it: of what was taken away not even whose it was."""
    by = None if stored.retracted else shown(stored.person)
    if stored.about is not None:
        return frames.change(topic, stored.seq, stored.about, by, None if stored.retracted else stored.data, stored.at)
    more = ',"retracted":true' if stored.retracted else ""
    if stored.seq == 1 and (epoch := logs.epoch_of(topic)):  # who was there before has none yet
        more += f',"epoch":"{epoch}"'
    return frames.event(topic, stored.seq, stored.id, by, stored.data, stored.at, more=more)


def noticed(notice: notices.Notice) -> Notice:
    room = PREFIX + notice.topic if notice.topic else None
    return Notice(notice.id, notice.person or None, room, notice.out, notice.age)


def publish(hub: Hub, topic: str, stored: Stored) -> None:
    """Tells the topic's followers, in all processes. To be called after COMMIT."""
    hub.publish(PREFIX + topic, logs.epoch_of(topic), stored.seq, worded(topic, stored))
