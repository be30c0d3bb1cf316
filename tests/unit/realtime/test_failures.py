"""One that fails among many, and what runs in the background and fails."""

import asyncio
import logging
import threading

import pytest

from realtime import failures, metrics
from unit.realtime.fakes import settled, until


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "RESTART_SECONDS", 0.001)


def counted(what: str) -> float:
    return metrics.failures.labels(what)._value.get()


def test_a_thousand_failures_are_counted_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    before = counted("a test")
    for _ in range(1_000):
        with failures.contained("a test"):
            raise ArithmeticError("asked for")
    assert counted("a test") == before + 1_000
    assert [record.getMessage() for record in caplog.records] == ["failed: a test: ArithmeticError"]


def test_failures_of_two_kinds_are_both_told(caplog: pytest.LogCaptureFixture) -> None:
    for what in ("a test", "another test"):
        failures.report(what, ArithmeticError())
    assert len(caplog.records) == 2


async def test_what_fails_in_the_background_is_told_and_runs_again(caplog: pytest.LogCaptureFixture) -> None:
    runs = []

    async def run() -> None:
        runs.append(len(runs))
        if len(runs) < 3:
            raise ArithmeticError("asked for")

    await failures.keep("a test", run)
    assert runs == [0, 1, 2]
    assert "failed: a test" in caplog.text


async def test_a_cancellation_that_nobody_asked_for_does_not_end_it() -> None:
    """It may come from what it waits for, such as another's task."""
    broken: list[asyncio.Future[None]] = []
    ran_again = asyncio.Event()

    async def run() -> None:
        if broken:
            ran_again.set()
        broken.append(asyncio.get_running_loop().create_future())
        await broken[-1]

    keeping = failures.keep("a test", run)
    await settled()
    broken[0].cancel()
    async with asyncio.timeout(30):
        await ran_again.wait()
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping


async def test_who_fails_again_and_again_is_begun_less_and_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def run() -> None:
        if len(pauses) < 8:
            raise ArithmeticError("asked for")

    monkeypatch.setattr(failures, "RESTART_SECONDS", 1)
    monkeypatch.setattr(failures.asyncio, "sleep", sleep)
    await failures.keep("a test", run)
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]


async def test_callbacks_and_threads_that_fail_are_reported_too(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    loop = asyncio.get_running_loop()
    failures.watch(loop)
    callbacks, threads = counted("a callback"), counted("a thread")
    loop.call_soon(lambda: 1 / 0)
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    await until(lambda: counted("a callback") == callbacks + 1)
    assert counted("a thread") == threads + 1
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2
