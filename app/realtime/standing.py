"""Whether those who are here may still be here: a log-out, a password or a room's end must reach open sockets.

The product answers, from the database, for everybody every few seconds, and at once for those who are doubted. A
doubt is only a reason to look: one that is lost, doubled or forged does no harm.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple

from realtime.closing import Goodbye
from realtime.contract import Follower
from realtime.feed import Feed
from realtime.limits import DOUBT_LOOKS, DOUBT_SECONDS

logger = logging.getLogger(__name__)


class Doubt(NamedTuple):
    """What may have changed: the person with this key, or the room."""

    person: str | None = None
    room: str | None = None


class Verdict(NamedTuple):
    """Who is to go, and what they are told. A room goes with everybody in it."""

    followers: dict[Follower, Goodbye]
    rooms: dict[str, Goodbye]


Judge = Callable[[Sequence[Follower], bool], Awaitable[Verdict]]
"""(followers, doubted): whether to believe nothing that was known of these."""


class Standing:
    """`feeds` is the hub's own table, `close_room(feed, goodbye)` takes a room out of it with everybody in it."""

    def __init__(self, feeds: dict[str, Feed], judge: Judge, close_room: Callable[[Feed, Goodbye], None]) -> None:
        self._feeds = feeds
        self._judge = judge
        self._close_room = close_room
        self._doubts: dict[Doubt, int] = {}  # how often each is still to be looked at
        self.task: asyncio.Task[None] | None = None

    def doubt(self, doubt: Doubt) -> None:
        """Has those whom it concerns looked at soon, and more than once.

        The news may be faster than the change itself (Django says that somebody has logged out before the session
        is gone), or than somebody who was on the way in.
        """
        self._doubts[doubt] = DOUBT_LOOKS
        if self._feeds and self.task is None:
            self.task = asyncio.create_task(self._look())

    async def _look(self) -> None:
        try:
            while self._doubts:
                await asyncio.sleep(DOUBT_SECONDS)
                doubts = list(self._doubts)
                self._doubts = {doubt: looks - 1 for doubt, looks in self._doubts.items() if looks > 1}
                await self._check(self._concerned_by(doubts), doubted=True)
        finally:
            self.task = None

    async def check_everybody(self) -> None:
        await self._check([one for feed in self._feeds.values() for one in everybody(feed)], doubted=False)

    def _concerned_by(self, doubts: Iterable[Doubt]) -> list[Follower]:
        people, rooms = ({*some} for some in zip(*doubts, strict=True))
        return [
            one for room, feed in self._feeds.items() for one in everybody(feed) if room in rooms or one.key in people
        ]

    async def _check(self, followers: list[Follower], *, doubted: bool) -> None:
        if not followers:
            return
        try:
            verdict = await self._judge(followers, doubted)
        except Exception as error:
            logger.warning("it could not be asked who may stay: %s", error)
            return
        for follower, goodbye in verdict.followers.items():
            try:
                follower.close_with(goodbye)
            except Exception:
                logger.exception("a socket could not be told goodbye")
        for room, goodbye in verdict.rooms.items():
            if feed := self._feeds.get(room):
                self._close_room(feed, goodbye)


def everybody(feed: Feed) -> list[Follower]:
    return [*feed.live, *feed.behind]
