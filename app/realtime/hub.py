"""This process's table of sockets by log: of any number of logs, of any number of products, told apart by key.

However many sockets a log has here, the process is one member of the log's group in the channel layer.
What is published goes to the local sockets at once, and to the layer by a task of the hub's own: no socket
ever waits for the layer. The layer is only a hint that makes delivery fast; the log, asked every few
seconds which rooms have changed, makes it certain.
"""

import asyncio
import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

from channels.layers import get_channel_layer

from realtime import events, layers, metrics, tracing, wires
from realtime.announcing import announce
from realtime.asking import Asking, Here
from realtime.checking import LogCheck
from realtime.closing import RESTART, Goodbye
from realtime.contract import Follower, Numbered, Product
from realtime.events import Event
from realtime.failures import contained, keep
from realtime.feed import Feed
from realtime.heartbeat import Heartbeat
from realtime.limits import REPLAYS, TICK_SECONDS
from realtime.outgoing import More
from realtime.presence import Presence
from realtime.present import Present
from realtime.rates import Rates
from realtime.registry import ended
from realtime.standing import Doubt, Notice, Standing, judged
from realtime.waiting import relieve


class Hub:
    """One per running event loop; `hubs.here()` makes it when the first socket comes.

    `product` names the installation, and stores whatever is joined without naming another one.
    """

    def __init__(self, product: Product) -> None:
        self.loop = asyncio.get_running_loop()
        self.feeds: dict[str, Feed] = {}
        self.calls: dict[str, Callable[[], None]] = {}
        self._product = product
        self._process = secrets.token_hex(8)
        self._wire = wires.over(
            get_channel_layer() or layers.alone(), self._process, product.identity, self._receive, self._entered
        )
        announced = partial(announce, self.feeds, self.product_of)
        self.presence = Presence(self._process, self._send_presence, announced, self.loop.time)
        self._replays = asyncio.Semaphore(REPLAYS)
        self.rates = Rates(self.loop.time, self._tell_spent)
        self.present = Present()
        judge = partial(judged, product_of=self.product_of)
        self.standing = Standing(self.feeds, self.present, judge, self._restart, self.calls)
        self._asking = Asking(self._process, self.presence, partial(self._wire.send, None))
        self._heartbeat = Heartbeat(self.feeds, self.product_of)
        check = LogCheck(self.feeds, self.present, self.standing, self.product_of, self._restart)
        self._tasks = [keep("the hub's clock", self._tick), keep("the check of the log", check.run)]

    # --- Sockets come and go -----------------------------------------------------------------------

    def join(
        self,
        room: str,
        follower: Follower,
        person: dict[str, Any],
        *,
        epoch: str,
        position: int,
        product: Product | None = None,
    ) -> Feed:
        """Has the follower, who has everything up to position, hear what follows."""
        feed = self.feeds.get(room)
        if feed is not None and not feed.is_of(epoch):
            self._restart(feed)
            feed = None
        if feed is None:
            feed = self._open(product or self._product, room, epoch, position)
        feed.follow(follower, position)
        self.presence.enter(room, follower.key, person)
        return feed

    def remembered(self, room: str, epoch: str, since: int) -> list[Numbered] | None:
        """What memory has after that number of that log. None: it does not reach back that far, ask the log."""
        feed = self.feeds.get(room)
        if feed is None or feed.grows or feed.epoch != epoch or since > feed.seq:
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

    def _open(self, product: Product, room: str, epoch: str, seq: int) -> Feed:
        feed = self.feeds[room] = Feed(room, epoch, seq, product.read, self._replays, product)
        feed.repair()  # what was said since the newcomer read the log
        self._heartbeat.begin(feed)
        self._wire.enter(room)
        metrics.rooms.set(len(self.feeds))
        return feed

    # --- Publishing --------------------------------------------------------------------------------

    def publish(self, room: str, epoch: str, seq: int, frame: str) -> None:
        """A stored message, after its COMMIT, with the log's epoch. The one door out."""
        event = {"seq": seq, "epoch": epoch, "frame": frame}
        if tracing.tracer is not None:
            tracing.tracer.publishing(event)
        self._hear(room, event)
        self._wire.send(room, event)

    def mention(self, room: str, frame: str, by: str) -> None:
        """Tells everybody but the person with that key something ephemeral."""
        event = {"frame": frame, "by": by}
        self._hear(room, event)
        self._wire.send(room, event)

    def mention_growth(self, room: str, frame: str) -> None:
        """Tells the sockets here more of an event that is still being written. Ephemeral, too."""
        self._hear(room, {"frame": frame, "grows": True})

    def offer_growth(self, room: str, more: More) -> None:
        """Tells the other processes more of it, worded when the layer can take it. Ephemeral, too."""
        self._wire.offer(room, more)

    def call(self, name: str) -> None:
        """Has every process do what it has in `calls` under that name. A hint: it may get lost, doubled or forged."""
        self._called(name)
        self._wire.send(None, {"call": name})

    def _called(self, name: str) -> None:
        if called := self.calls.get(name):
            called()

    def tell(self, room: str, frame: str, to: str, but: Follower | None = None) -> None:
        """Tells the room's sockets of the person with the key `to` something ephemeral, all of them but one."""
        self._tell_own(room, frame, to, but)
        self._wire.send(room, {"frame": frame, "to": to})

    def _tell_own(self, room: str, frame: str, to: str, but: Follower | None = None) -> None:
        if feed := self.feeds.get(room):
            feed.tell([one for one in self.present.of(to) if one is not but], frame)

    def notify(self, notice: Notice) -> None:
        """Has every process heed it: at once where the layer works, else at the next check."""
        self.standing.heed(notice)
        self._wire.send(notice.room, {"notice": notice.id, "person": notice.person, "out": notice.out})

    async def members(self, room: str, limit: int) -> Here:
        """Who is there, over all processes, whether one has a socket here or not. Raises asking.Unheard."""
        return await self._asking.members(room, limit)

    def doubt(self, *, person: str | None = None, room: str | None = None) -> None:
        """Has every process ask whether these may stay: the person with this key, or everybody in the room."""
        self.standing.doubt(Doubt(person, room))
        self._wire.send(room, {"doubt": person})

    def _hear(self, room: str, event: Event) -> None:
        feed = self.feeds.get(room)
        if feed is None:
            return
        if "seq" in event:
            if not feed.is_of(event["epoch"]):  # a number of another log
                metrics.foreign.inc()
                return
            if tracing.tracer is not None and "traceparent" in event:
                feed.trace(event["seq"], event["traceparent"])
            feed.take(event["seq"], event["frame"])
        else:
            feed.grows |= "grows" in event
            feed.cast(event["frame"], except_key=event.get("by"))

    # --- From the layer ----------------------------------------------------------------------------

    def _receive(self, room: str | None, event: Event) -> None:
        if room is not None and ("seq" in event or "by" in event or "grows" in event):
            self._hear(room, event)
        elif "presence" in event and event["presence"]["presence"] in events.PRESENCE:
            self.presence.receive(event["presence"])
        elif "spent" in event:
            if event["process"] != self._process:
                self.rates.spent_elsewhere(event["spent"])
        elif "doubt" in event:
            self.standing.doubt(Doubt(event["doubt"], room))
        elif "notice" in event:
            self.standing.heed(Notice(event["notice"], event["person"], room, event["out"]))
        elif "call" in event:
            self._called(event["call"])
        elif "members" in event and event["members"] in events.MEMBERS:
            self._asking.receive(event)
        elif "to" in event and room is not None:
            self._tell_own(room, event["frame"], event["to"])
        else:
            events.ignore(event)

    def _entered(self, room: str) -> None:
        """The layer delivers from here on. What was published before is read."""
        feed = self.feeds.get(room)
        if feed is not None:
            feed.repair()

    def _tell_spent(self, spent: dict[str, int]) -> None:
        self._wire.send(None, {"spent": spent, "process": self._process})

    def _send_presence(self, room: str | None, event: dict[str, Any]) -> None:
        self._wire.send(room, {"presence": event})

    # --- The end -----------------------------------------------------------------------------------

    async def finish(self) -> None:
        """Tells the other processes that its people have gone, and waits until the layer has taken everything."""
        self.presence.goodbye()
        await self._wire.flushed()

    async def close(self) -> None:
        """Ends its tasks and forgets its feeds. Nothing is handed out any more."""
        await ended([*self._tasks, self.standing.task])
        feeds = list(self.feeds.values())
        self.feeds.clear()
        for feed in feeds:
            feed.close()
        await ended(task for feed in feeds for task in feed.tasks)
        await self._wire.close()

    # --- Clockwork ---------------------------------------------------------------------------------

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            for step in (self.presence.tick, self._heartbeat.tick, self._wire.renew, self.rates.tick, relieve):
                with contained("the hub's clock"):
                    step()

    def product_of(self, one: Feed | Follower) -> Product:
        """Whose log, or whose socket, it is."""
        return getattr(one, "product", None) or self._product

    def _restart(self, feed: Feed, goodbye: Goodbye = RESTART) -> None:
        """The log is gone, or is another one than its sockets have heard: they return and start afresh."""
        del self.feeds[feed.room]
        feed.send_away(goodbye)
