"""Questions that come together: alice, bob and carol ask at once, or one after the other."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError

from topics.storing import database
from topics.storing.gathering import TOGETHER, Gathering, Unanswered
from unit.realtime.fakes import settled, until


class Lookups:
    """What was looked up together. While `held`, a lookup waits."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.free = asyncio.Event()
        self.free.set()

    def answer_all(self, questions: list[str]) -> list[str | Exception]:
        self.batches.append(questions)
        return [KeyError(question) if question == "carol" else question.upper() for question in questions]

    async def run(self, executor: ThreadPoolExecutor, work: Callable[..., Any], *arguments: Any) -> Any:
        found = work(*arguments)
        await self.free.wait()
        return found


@pytest.fixture
async def lookups(monkeypatch: pytest.MonkeyPatch) -> Lookups:
    lookups = Lookups()
    monkeypatch.setattr(database, "run", lookups.run)
    return lookups


async def test_who_asks_alone_waits_for_nobody(lookups: Lookups) -> None:
    asking = asyncio.create_task(Gathering(lookups.answer_all).ask("alice"))
    await settled()
    assert asking.done()
    assert asking.result() == "ALICE"


async def test_what_is_asked_during_a_lookup_is_looked_up_together(lookups: Lookups) -> None:
    gathering = Gathering(lookups.answer_all)
    lookups.free.clear()
    asking = [asyncio.create_task(gathering.ask("first"))]
    await settled()
    asking += [asyncio.create_task(gathering.ask(name)) for name in ("alice", "bob")]
    await settled()
    lookups.free.set()
    assert await asyncio.gather(*asking) == ["FIRST", "ALICE", "BOB"]
    assert lookups.batches == [["first"], ["alice", "bob"]]


async def test_large_answers_are_looked_up_in_small_portions(lookups: Lookups) -> None:
    gathering = Gathering(lookups.answer_all, together=2)
    await asyncio.gather(*(gathering.ask(name) for name in ("alice", "bob", "dora")))
    assert list(map(len, lookups.batches)) == [2, 1]


async def test_a_crowd_is_looked_up_in_portions(lookups: Lookups) -> None:
    gathering = Gathering(lookups.answer_all)
    names = [f"guest {number}" for number in range(2 * TOGETHER + 1)]
    assert await asyncio.gather(*map(gathering.ask, names)) == [name.upper() for name in names]
    assert list(map(len, lookups.batches)) == [TOGETHER, TOGETHER, 1]


async def test_one_refusal_is_nobody_elses(lookups: Lookups) -> None:
    gathering = Gathering(lookups.answer_all)
    found = await asyncio.gather(*map(gathering.ask, ("alice", "carol", "bob")), return_exceptions=True)
    assert [found[0], found[2]] == ["ALICE", "BOB"]
    assert isinstance(found[1], KeyError)


async def test_who_goes_meanwhile_is_not_looked_up_and_harms_nobody(lookups: Lookups) -> None:
    gathering = Gathering(lookups.answer_all)
    lookups.free.clear()
    alice, bob = (asyncio.create_task(gathering.ask(name)) for name in ("alice", "bob"))
    await settled()
    carol, dora = (asyncio.create_task(gathering.ask(name)) for name in ("carol", "dora"))
    await settled()
    alice.cancel(), carol.cancel()
    await settled()
    lookups.free.set()
    assert [await bob, await dora] == ["BOB", "DORA"]
    assert lookups.batches == [["alice", "bob"], ["dora"]]


@pytest.mark.parametrize("error", [OperationalError("nobody listens there"), TypeError("a mistake")])
async def test_when_the_lookup_fails_everybody_is_told_and_the_next_ones_have_their_turn(
    lookups: Lookups, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def fails_once(questions: list[str]) -> list[str | Exception]:
        gathering._answer_all = lookups.answer_all
        raise error

    gathering: Gathering[str, str] = Gathering(fails_once)
    found = await asyncio.gather(*map(gathering.ask, ("alice", "bob")), return_exceptions=True)
    assert [type(each) for each in found] == [Unanswered, Unanswered]
    assert found[0] is not found[1]
    assert len(caplog.records) == 1
    assert await gathering.ask("alice") == "ALICE"


async def test_when_everybody_is_told_nothing_runs_on(lookups: Lookups) -> None:
    gathering = Gathering(lookups.answer_all)
    await gathering.ask("alice")
    await until(lambda: gathering._task is None)


async def test_too_few_answers_leave_nobody_waiting(lookups: Lookups) -> None:
    gathering = Gathering(lambda questions: questions[1:])
    asking = [asyncio.create_task(gathering.ask(name)) for name in ("alice", "bob")]
    for waiting in asking:
        with pytest.raises(Unanswered):
            await asyncio.wait_for(waiting, 30)
