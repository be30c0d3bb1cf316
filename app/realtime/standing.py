"""Whether those who are here may still be here: a log-out, a password or a room's end must reach open sockets.

The product answers, from the database, for everybody every few seconds, and at once for those who are doubted. A
doubt is only a reason to look: one that is lost, doubled or forged does no harm.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from realtime import request_id
from realtime.closing import DISCONNECTED, Goodbye
from realtime.contract import Follower, Product
from realtime.failures import contained
from realtime.feed import Feed
from realtime.limits import DOUBT_LOOKS, DOUBT_SECONDS
from realtime.present import Present

logger = logging.getLogger(__name__)

MOST_HEEDED: Final = 10_000  # notices whose ids are remembered, so that none is heeded twice


class Doubt(NamedTuple):
    """What may have changed: the person with this key, or the room."""

    person: str | None = None
    room: str | None = None


class Notice(NamedTuple):
    """A doubt, or an order to put somebody out (`out`), that every process hears of, over the layer or by its log.

    `id` is the same on both ways. `age` is how many seconds ago it was given.
    """

    id: int
    person: str | None = None
    room: str | None = None
    out: bool = False
    age: float = 0.0


class Verdict(NamedTuple):
    """Who is to go, and what they are told. A room goes with everybody in it."""

    followers: dict[Follower, Goodbye]
    rooms: dict[str, Goodbye]


Judge = Callable[[Sequence[Follower], bool], Awaitable[Verdict]]
"""(followers, doubted): whether to believe nothing that was known of these."""


class Standing:
    """`feeds`, `present` and `calls` are the hub's own, `close_room(feed, goodbye)` takes a room away with everybody
    in it.
    """

    def __init__(
        self,
        feeds: dict[str, Feed],
        present: Present,
        judge: Judge,
        close_room: Callable[[Feed, Goodbye], None],
        calls: Mapping[str, Callable[[], None]],
    ) -> None:
        self._feeds = feeds
        self._present = present
        self._began = asyncio.get_running_loop().time()
        self._heeded: dict[int, None] = {}
        self._judge = judge
        self._close_room = close_room
        self._calls = calls
        self._doubts: dict[Doubt, int] = {}  # how often each is still to be looked at
        self.task: asyncio.Task[None] | None = None

    def doubt(self, doubt: Doubt) -> None:
        """Has those whom it concerns looked at soon, and more than once.

        The news may be faster than the change itself (Django says that somebody has logged out before the session
        is gone), or than somebody who was on the way in.
        """
        self._doubts[doubt] = DOUBT_LOOKS
        if self.task is None and (self._feeds or any(self._present)):
            self.task = asyncio.create_task(self._look(), context=request_id.apart())

    def heed(self, notice: Notice) -> None:
        """Does what it says, once. Who comes back after that may stay, so one from before this process is too old.

        One about nobody, but to something in the hub's calls, has that done.
        """
        call = self._calls.get(notice.person or "")
        is_old = call is None and notice.age > asyncio.get_running_loop().time() - self._began
        if notice.id in self._heeded or is_old:
            return
        self._heeded[notice.id] = None
        if len(self._heeded) > MOST_HEEDED:
            del self._heeded[next(iter(self._heeded))]
        if call is not None:
            call()
            return
        doubt = Doubt(notice.person, notice.room)
        if not notice.out:
            self.doubt(doubt)
            return
        for follower in dict.fromkeys(self._concerned_by([doubt])):
            with contained("a goodbye"):
                if notice.room is None:
                    follower.close_with(DISCONNECTED)
                else:
                    follower.put_out(notice.room, DISCONNECTED)

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
        following = (one for feed in self._feeds.values() for one in everybody(feed))
        await self._check([*following, *self._present], doubted=False)

    def _concerned_by(self, doubts: Iterable[Doubt]) -> list[Follower]:
        people, rooms = ({*some} for some in zip(*doubts, strict=True))
        following = (
            one for room, feed in self._feeds.items() for one in everybody(feed) if room in rooms or one.key in people
        )
        return [*following, *(one for key in people - {None} for one in self._present.of(key))]

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


async def judged(followers: Sequence[Follower], doubted: bool, product_of: Callable[[Follower], Product]) -> Verdict:
    """Each product judges its own sockets. One that cannot does not keep the others from it."""
    verdict = Verdict({}, {})
    for product in {product_of(one) for one in followers}:
        theirs = [one for one in dict.fromkeys(followers) if product_of(one) is product]
        try:
            judged = await product.judge(theirs, doubted)
        except Exception as error:
            logger.warning("it could not be asked who may stay: %s", error)
            continue
        verdict.followers.update(judged.followers)
        verdict.rooms.update(judged.rooms)
    return verdict
