"""Followers of one log who are told the same in different words: alice hears the log's own, bob and carol shout."""

from collections.abc import AsyncIterator

import pytest

from realtime.closing import RESTART
from realtime.feed import Feed
from unit.realtime.fakes import Log, Socket, frame, said, settled, until


class Shouting:
    """Counts how often it is asked. Of whispers it knows nothing."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.speechless = False

    def translate(self, frame: str) -> str:
        if self.speechless:
            raise ValueError("no words")
        self.asked.append(frame)
        return "" if frame.startswith("whisper") else frame.upper()


class Shouter(Socket):
    def __init__(self, key: str, dialect: Shouting, room: int = 1_000_000) -> None:
        super().__init__(key, room)
        self.dialect = dialect


def shouted(first: int, last: int) -> list[str]:
    return [text.upper() for text in said(first, last)]


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
async def feed(log: Log) -> AsyncIterator[Feed]:
    feed = Feed("1", "epoch", 0, log.read)
    yield feed
    feed.close()


@pytest.fixture
def shouting() -> Shouting:
    return Shouting()


def say(feed: Feed, log: Log, times: int = 1) -> None:
    for _ in range(times):
        seq = log.say()
        feed.take(seq, frame(seq))
    feed.hand_out()


async def test_each_hears_it_in_her_words_and_it_is_put_into_them_once(
    feed: Feed, log: Log, shouting: Shouting
) -> None:
    alice, bob, carol = Socket("alice"), Shouter("bob", shouting), Shouter("carol", shouting)
    for member in (alice, bob, carol):
        feed.follow(member, 0)
    say(feed, log, 3)
    assert alice.heard == said(1, 3)
    assert bob.heard == carol.heard == shouted(1, 3)
    assert shouting.asked == said(1, 3)


async def test_for_what_may_get_lost_a_dialect_need_not_have_a_word(feed: Feed, shouting: Shouting) -> None:
    alice, bob, carol = Socket("alice"), Shouter("bob", shouting), Shouter("carol", shouting)
    for member in (alice, bob, carol):
        feed.follow(member, 0)
    feed.cast("whisper")
    feed.cast("cry", except_key="bob")
    feed.hand_out()
    assert alice.heard == ["whisper", "cry"]
    assert bob.heard == []
    assert carol.heard == ["CRY"]


async def test_who_returns_or_was_too_slow_is_brought_level_in_her_own_words(
    feed: Feed, log: Log, shouting: Shouting
) -> None:
    bob = Shouter("bob", shouting, room=2)
    feed.follow(bob, 0)
    for _ in range(5):
        say(feed, log)
    assert bob.heard == shouted(1, 2)
    carol = Shouter("carol", shouting)
    feed.follow(carol, 3)
    while len(bob.heard) < 5:
        bob.read()
        await settled()
    await until(lambda: carol in feed.live)
    assert bob.heard == shouted(1, 5)
    assert carol.heard == shouted(4, 5)


async def test_a_dialect_that_has_no_words_costs_nobody_else_anything(feed: Feed, log: Log, shouting: Shouting) -> None:
    alice, bob = Socket("alice"), Shouter("bob", shouting)
    for member in (bob, alice):
        feed.follow(member, 0)
    shouting.speechless = True
    say(feed, log)
    assert alice.heard == said(1, 1)
    assert bob.goodbye is RESTART
    assert bob not in feed.live
    assert len(feed.live) == 1
