"""Whatever happens in whatever order: each member of a room hears position+1…n, in order, once.

The room's messages are committed to a log and told by a layer that loses, doubles and reorders them. Members
come with any number that they may have, leave, and stop reading; the log's readers answer when they like, with
the log as it was at any time since they asked. Time passes only by a step of its own.
"""

import asyncio
from sys import getsizeof

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from realtime import feed as feed_module
from realtime import memory as memory_module
from realtime import repairing as repairing_module
from realtime.closing import TOO_SLOW
from realtime.contract import Numbered
from realtime.feed import Feed
from realtime.memory import remembered
from unit.realtime.fakes import Log, Socket, TurnedClock, frame, said, settled

REMEMBERED = 3  # so that both memory and log are asked
PAGE = 4


class Conversation(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = TurnedClock()
        self.errors: list[str] = []
        self.loop.set_exception_handler(lambda _, context: self.errors.append(str(context)))
        self.log = Log()
        self.feed: Feed | None = None
        self.told: list[int] = []  # by the layer, not yet heard here
        self.reading: list[tuple[int, int, asyncio.Future[list[Numbered]]]] = []
        self.members: dict[Socket, int] = {}  # with the position each came with
        self.real = memory_module.MEMORY_EVENTS, feed_module.REPLAY_EVENTS
        memory_module.MEMORY_EVENTS, feed_module.REPLAY_EVENTS = REMEMBERED, PAGE
        repairing_module.REPLAY_EVENTS = PAGE

    async def read(self, room: str, after: int, limit: int) -> list[Numbered]:
        answer: asyncio.Future[list[Numbered]] = self.loop.create_future()
        self.reading.append((after, len(self.log.seqs), answer))
        return await answer

    def go_on(self) -> None:
        self.loop.run_until_complete(settled())

    # --- What may happen ---------------------------------------------------------------------------

    @rule(losing=st.booleans(), doubling=st.booleans())
    def somebody_speaks(self, losing: bool, doubling: bool) -> None:
        seq = self.log.say()
        self.told += [] if losing else [seq, seq] if doubling else [seq]

    @precondition(lambda self: self.told and self.feed)
    @rule(data=st.data())
    def the_layer_tells(self, data: st.DataObject) -> None:
        seq = self.told.pop(data.draw(st.integers(0, len(self.told) - 1)))
        self.loop.call_soon(lambda: self.feed and self.feed.take(seq, frame(seq)))
        self.go_on()

    @rule(data=st.data(), room=st.sampled_from([1, 2, 1_000]))
    def somebody_arrives(self, data: st.DataObject, room: int) -> None:
        position = len(self.log.seqs) - data.draw(st.integers(0, len(self.log.seqs)))  # mostly near the end
        socket = Socket("carol", room)
        self.members[socket] = position

        async def arrive() -> None:
            if self.feed is None:
                self.feed = Feed("1", "epoch", position, self.read)
                self.feed.repair()
            self.feed.follow(socket, position)

        self.loop.run_until_complete(arrive())
        self.go_on()

    @precondition(lambda self: self.members)
    @rule(data=st.data())
    def somebody_leaves(self, data: st.DataObject) -> None:
        self.let_leave(data.draw(st.sampled_from(list(self.members))))
        self.go_on()

    @precondition(lambda self: self.members)
    @rule(data=st.data())
    def somebody_reads(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(list(self.members))).read()
        self.go_on()

    @precondition(lambda self: self.members)
    @rule(data=st.data())
    def somebody_has_not_read_for_too_long(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(list(self.members))).exhaust_patience()
        self.go_on()

    @precondition(lambda self: self.reading)
    @rule(data=st.data())
    def the_log_answers(self, data: st.DataObject) -> None:
        after, then, answer = self.reading.pop(data.draw(st.integers(0, len(self.reading) - 1)))
        length = data.draw(st.integers(then, len(self.log.seqs)))
        if not answer.done():
            answer.set_result([event for event in self.log.after(after, PAGE) if event.seq <= length])
        self.go_on()

    @rule()
    def the_hub_checks_the_log(self) -> None:
        if self.feed:
            self.loop.call_soon(self.feed.check, len(self.log.seqs))
            self.go_on()

    @rule()
    def time_passes(self) -> None:
        self.loop.now += repairing_module.REORDER_SECONDS
        self.go_on()

    # --- What must hold ----------------------------------------------------------------------------

    @invariant()
    def nobody_hears_anything_but_what_follows(self) -> None:
        for member, position in self.members.items():
            assert member.heard == said(position + 1, position + len(member.heard))
            assert member.goodbye in (None, TOO_SLOW), "nothing that happens here is a reason to start afresh"

    @invariant()
    def memory_is_counted_to_the_byte(self) -> None:
        events = self.feed._memory._events if self.feed else ()
        assert remembered.used == sum(getsizeof(event.frame) for event in events)

    @invariant()
    def nothing_goes_wrong_unseen(self) -> None:
        assert self.errors == []

    def let_leave(self, socket: Socket) -> None:
        del self.members[socket]
        assert self.feed
        self.feed.leave(socket)
        if self.feed.empty:
            self.feed.close()
            self.feed = None

    def teardown(self) -> None:
        try:
            self.come_to_rest()
            here = [member for member in self.members if member.goodbye is None]
            for member in here:
                assert member.heard == said(self.members[member] + 1, len(self.log.seqs))
                assert self.feed
                assert member in self.feed.live
            for member in list(self.members):
                self.let_leave(member)
            self.go_on()
            assert remembered.used == 0
            self.nothing_goes_wrong_unseen()
        finally:
            remembered.used = 0
            memory_module.MEMORY_EVENTS, feed_module.REPLAY_EVENTS = self.real
            repairing_module.REPLAY_EVENTS = feed_module.REPLAY_EVENTS
            self.loop.close()

    def come_to_rest(self) -> None:
        """The layer is silent from here on; the log answers, and everybody reads who still may."""
        for _ in range(len(self.log.seqs) + 10):
            self.the_hub_checks_the_log()
            self.time_passes()
            waiting, self.reading = self.reading, []
            for after, _, answer in waiting:
                if not answer.done():
                    answer.set_result(self.log.after(after, PAGE))
            self.go_on()
            for member in self.members:
                member.read()
            self.go_on()


TestConversation = Conversation.TestCase
TestConversation.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
