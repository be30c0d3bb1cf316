"""What a loop shares begins with whoever asks first, and leaves nothing behind."""

import asyncio
import threading

import pytest

from realtime import registry


class Work:
    """Notes in which order it was asked to finish and to close."""

    def __init__(self, name: str, told: list[str]) -> None:
        self.name, self.told = name, told

    async def finish(self) -> None:
        self.told.append(f"{self.name} finishes")

    async def close(self) -> None:
        self.told.append(f"{self.name} closes")


class Failing(Work):
    async def finish(self) -> None:
        raise ArithmeticError

    async def close(self) -> None:
        raise ArithmeticError


class Hanging(Work):
    async def finish(self) -> None:
        await asyncio.Event().wait()

    close = finish


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "FLUSH_SECONDS", 0.1)
    monkeypatch.setattr(registry, "END_SECONDS", 0.1)


async def test_everybody_on_a_loop_is_given_the_same_one() -> None:
    told: list[str] = []
    first = registry.here().get("work", lambda: Work("first", told))
    assert registry.here().get("work", lambda: Work("second", told)) is first
    assert registry.here().get("other", lambda: Work("third", told)) is not first


def test_two_loops_share_nothing_and_a_closed_one_is_forgotten() -> None:
    async def own() -> tuple[asyncio.AbstractEventLoop, Work]:
        return asyncio.get_running_loop(), registry.here().get("work", lambda: Work("own", []))

    (loop, alices), (_, bobs) = asyncio.run(own()), asyncio.run(own())
    assert alices is not bobs
    assert loop not in registry._registries


def test_a_loop_is_found_from_another_thread_as_long_as_it_runs() -> None:
    loop, made = asyncio.new_event_loop(), threading.Event()

    def make() -> None:
        registry.here().get(Work, lambda: Work("of the thread", []))
        made.set()

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    loop.call_soon_threadsafe(make)
    assert made.wait(5)
    assert loop in registry.loops_with(Work)
    assert loop not in registry.loops_with(Failing)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    assert loop not in registry.loops_with(Work)
    loop.close()


async def test_what_was_made_first_ends_first_and_all_have_finished_before() -> None:
    told: list[str] = []
    here = registry.here()
    for name in ("hub", "writer"):
        here.get(name, lambda name=name: Work(name, told))
    await registry.leave()
    assert told == ["hub finishes", "writer finishes", "hub closes", "writer closes"]
    assert registry.here() is not here
    assert "hub" not in registry.here()


async def test_what_is_asked_for_while_the_others_end_ends_too() -> None:
    told: list[str] = []

    class Late(Work):
        async def close(self) -> None:
            registry.here().get("later", lambda: Work("later", told))

    registry.here().get("late", lambda: Late("late", told))
    await registry.here().close()
    assert told == ["later closes"]
    assert "later" not in registry.here()


async def test_one_that_fails_or_hangs_does_not_cost_the_others_theirs(caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []
    for kind in (Failing, Hanging, Work):
        registry.here().get(kind, lambda kind=kind: kind(kind.__name__, told))
    await registry.here().finish()
    assert told == ["Work finishes"]
    assert "failed: storing what was accepted" in caplog.text
    assert "was not stored within" in caplog.text
    await registry.here().close()
    assert "failed: the end of what a loop shares" in caplog.text
    assert Work not in registry.here()
