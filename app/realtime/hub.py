"""This process's table of sockets by room.

However many sockets a room has here, the process is one member of the room's group in the channel layer.
What is published goes to the local sockets at once, and to the layer by a task of the hub's own: no socket
ever waits for the layer. The layer is only a hint that makes delivery fast; the log, asked every few
seconds which rooms have changed, makes it certain.
"""

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Coroutine, Sequence
from typing import Any, NamedTuple, Protocol

from channels.layers import get_channel_layer

from realtime import drain, metrics
from realtime.bundle import Bundle
from realtime.closing import RESTART, Goodbye
from realtime.failures import contained, keep
from realtime.feed import Feed, Follower, Numbered
from realtime.limits import CHECK_SECONDS, REPLAYS, SEQ_SECONDS, TICK_SECONDS
from realtime.presence import Presence
from realtime.rates import Rates
from realtime.standing import Doubt, Standing, Verdict
from realtime.waiting import relieve
from realtime.wire import Event, Wire

logger = logging.getLogger(__name__)


class Changed(NamedTuple):
    """A room whose log has changed lately, with the log's epoch and last number."""

    room: str
    epoch: str
    seq: int


class Product(Protocol):
    """What the hub asks of whoever stores the rooms and words the frames."""

    async def identity(self) -> str: ...  # of this installation: the same in all its processes, in no other one
    def read(self, room: str, after: int, limit: int) -> Coroutine[Any, Any, list[Numbered]]: ...
    async def changed(self, seconds: float) -> list[Changed]: ...  # at least those of so many seconds
    async def judge(self, followers: Sequence[Follower], doubted: bool) -> Verdict: ...  # see Standing
    def seq_frame(self, seq: int) -> str: ...
    def presence_frame(self, joined: list[dict[str, Any]], left: list[dict[str, Any]], member_count: int) -> str: ...


class Hub:
    """One per running event loop; `hubs.here()` makes it when the first socket comes."""

    def __init__(self, product: Product) -> None:
        self.loop = asyncio.get_running_loop()
        self.feeds: dict[str, Feed] = {}
        self._product = product
        self._process = secrets.token_hex(8)
        self._wire = Wire(get_channel_layer(), self._process, product.identity, self._receive, self._entered)
        self.presence = Presence(self._process, self._send_presence, self._announce, self.loop.time)
        self._replays = asyncio.Semaphore(REPLAYS)
        self.rates = Rates(self.loop.time, self._tell_spent)
        self.standing = Standing(self.feeds, product.judge, self._restart)
        self._seq_due: deque[tuple[float, Feed]] = deque()
        self._tasks = [keep("the hub's clock", self._tick), keep("the check of the log", self._check_log)]
        drain.at_drain(self.farewell)

    # --- Sockets come and go -----------------------------------------------------------------------

    def join(self, room: str, follower: Follower, person: dict[str, Any], *, epoch: str, position: int) -> Feed:
        """The follower has everything up to position, and hears from here on what follows."""
        feed = self.feeds.get(room)
        if feed is not None and feed.epoch != epoch:
            self._restart(feed)
            feed = None
        if feed is None:
            feed = self._open(room, epoch, position)
        feed.follow(follower, position)
        self.presence.enter(room, follower.key, person)
        return feed

    def remembered(self, room: str, epoch: str, since: int) -> list[Numbered] | None:
        """What followed that number in that log, as its sockets here have heard it. None: only the log can tell."""
        feed = self.feeds.get(room)
        if feed is None or feed.epoch != epoch or since > feed.seq:
            return None
        return [] if since == feed.seq else feed.remembered(since) or None

    def leave(self, feed: Feed, follower: Follower) -> None:
        feed.leave(follower)
        self.presence.leave(feed.room, follower.key)
        if feed.empty and self.feeds.get(feed.room, feed) is feed:
            self._close(feed)

    def _close(self, feed: Feed) -> None:
        self.feeds.pop(feed.room, None)
        feed.close()
        self._wire.discard(feed.room)
        self.presence.forget_room(feed.room)
        metrics.rooms.set(len(self.feeds))

    def _open(self, room: str, epoch: str, seq: int) -> Feed:
        feed = self.feeds[room] = Feed(room, epoch, seq, self._product.read, self._replays)
        feed.repair()  # what was said since the newcomer read the log
        self._seq_due.append((self.loop.time() + SEQ_SECONDS, feed))
        self._wire.enter(room)
        metrics.rooms.set(len(self.feeds))
        return feed

    # --- Publishing --------------------------------------------------------------------------------

    def publish(self, room: str, epoch: str, seq: int, frame: str) -> None:
        """A stored message, after its COMMIT, with the log's epoch. The one door out."""
        event = {"seq": seq, "epoch": epoch, "frame": frame}
        self._hear(room, event)
        self._wire.send(room, event)

    def mention(self, room: str, frame: str, by: str) -> None:
        """Something that may get lost, to everybody but the person with that key."""
        self._hear(room, {"frame": frame, "by": by})
        self._wire.send(room, {"frame": frame, "by": by})

    def doubt(self, *, person: str | None = None, room: str | None = None) -> None:
        """Every process asks whether these may still be here: who has this key, or whoever is in the room."""
        self.standing.doubt(Doubt(person, room))
        self._wire.send(room, {"doubt": person})

    def _hear(self, room: str, event: Event) -> None:
        feed = self.feeds.get(room)
        if feed is None:
            return
        if "seq" in event:
            if event["epoch"] != feed.epoch:  # a number of another log
                metrics.foreign.inc()
                return
            feed.take(event["seq"], event["frame"])
        else:
            feed.cast(event["frame"], except_key=event["by"])

    # --- From the layer ----------------------------------------------------------------------------

    def _receive(self, room: str | None, event: Event) -> None:
        if "presence" in event:
            self.presence.receive(event["presence"])
        elif "spent" in event:
            if event["process"] != self._process:
                self.rates.spent_elsewhere(event["spent"])
        elif "doubt" in event:
            self.standing.doubt(Doubt(event["doubt"], room))
        elif room is not None:
            self._hear(room, event)

    def _entered(self, room: str) -> None:
        """From now on the layer tells; what was said before is read."""
        feed = self.feeds.get(room)
        if feed is not None:
            feed.repair()

    def _tell_spent(self, spent: dict[str, int]) -> None:
        self._wire.send(None, {"spent": spent, "process": self._process})

    # --- Presence ----------------------------------------------------------------------------------

    def _send_presence(self, room: str | None, event: dict[str, Any]) -> None:
        self._wire.send(room, {"presence": event})

    def _announce(
        self, room: str, joined: dict[str, dict[str, Any]], left: dict[str, dict[str, Any]], member_count: int
    ) -> None:
        feed = self.feeds.get(room)
        if feed is None:
            return
        bundle = Bundle.of(self._product.presence_frame(list(joined.values()), list(left.values()), member_count))
        for follower in list(feed.live):
            try:
                if follower.key in joined or follower.key in left:
                    others = [[who for key, who in some.items() if key != follower.key] for some in (joined, left)]
                    if any(others):
                        follower.offer(Bundle.of(self._product.presence_frame(others[0], others[1], member_count)))
                else:
                    follower.offer(bundle)
            except Exception as error:
                feed.give_up(follower, error)

    async def farewell(self) -> None:
        """The process leaves: its people are gone for the others at once, and nothing waits for the layer."""
        self.presence.goodbye()
        await self._wire.flushed()

    # --- Clockwork ---------------------------------------------------------------------------------

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            for step in (self.presence.tick, self._say_seq, self._wire.renew, self.rates.tick, relieve):
                with contained("the hub's clock"):
                    step()

    def _say_seq(self) -> None:
        """On quiet sockets, the room's last number: a client sees that it is alive and that it missed nothing."""
        now = self.loop.time()
        while self._seq_due and self._seq_due[0][0] <= now:
            feed = self._seq_due.popleft()[1]
            if self.feeds.get(feed.room) is feed:
                self._seq_due.append((now + SEQ_SECONDS, feed))
                feed.cast(self._product.seq_frame(feed.seq))

    async def _check_log(self) -> None:
        """One query for all rooms: what the layer lost is found here, and quiet rooms cost nothing."""
        answered = self.loop.time()
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            asked = self.loop.time()
            try:
                for changed in await self._product.changed(asked - answered) if self.feeds else ():
                    with contained("the check of a room's log"):
                        self._compare(changed)
                answered = asked
            except Exception as error:
                logger.warning("the log could not be asked what has changed: %s", error)
            await self.standing.check_everybody()

    def _compare(self, changed: Changed) -> None:
        feed = self.feeds.get(changed.room)
        if feed is None:
            return
        if feed.epoch != changed.epoch or changed.seq < feed.checked:
            self._restart(feed)
        else:
            feed.check(changed.seq)

    def _restart(self, feed: Feed, goodbye: Goodbye = RESTART) -> None:
        """The log is gone, or another one than the sockets have heard of: they return and get a fresh start."""
        del self.feeds[feed.room]
        for follower in [*feed.live, *feed.behind]:
            with contained("a follower"):
                follower.close_with(goodbye)
        feed.close()
