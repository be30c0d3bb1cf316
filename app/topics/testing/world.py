"""A process's event loop with its hub, in a thread of its own, whose database work is done by the test that waits.

So everything happens over the test's own connection: what the test has not committed is seen, and is gone with its
roll-back. What is due after COMMIT is told when the test next looks, as if it had committed: the transaction around a
`TestCase` never does.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from contextlib import ExitStack
from functools import partial
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, Final, TypeVar
from unittest import mock

from asgiref.sync import AsyncToSync, sync_to_async
from channels.layers import InMemoryChannelLayer, channel_layers
from django.db import connection, transaction

from realtime import registry
from topics.storing import database, logs

R = TypeVar("R")
Job = Callable[[], None]

POLL_SECONDS: Final = 0.002
END_SECONDS: Final = 5  # for tabs to close


class Jobs(Executor):
    """Takes work for whoever waits in the test. None says that there is something else to look at."""

    def __init__(self) -> None:
        self.waiting: SimpleQueue[Job | None] = SimpleQueue()

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        self.waiting.put(partial(do, future, partial(work, *args, **kwargs)))
        return future


def do(future: "Future[Any]", work: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        found = work()
    except Exception as error:
        future.set_exception(error)
    else:
        future.set_result(found)


class AfterCommit:
    """Something of topics that is due after COMMIT: done by the COMMIT, by Django's test, or by a visit, once."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work: Callable[[], object] | None = work

    def __call__(self) -> None:
        work, self._work = self._work, None
        if work is not None:
            work()


class World:
    """One at a time, for all visits that are open together."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._jobs = Jobs()
        self._thread = threading.Thread(target=self.loop.run_forever, name="visits", daemon=True)
        self._changed = ExitStack()
        self._visits = 0

    # --- Begin and end -------------------------------------------------------------------------------

    def enter(self) -> None:
        self._visits += 1
        if self._visits > 1:
            return
        logs.forget_all()
        change = self._changed.enter_context
        change(mock.patch.object(database, "run", partial(self._run, database.run)))
        change(mock.patch.object(transaction, "on_commit", partial(on_commit, transaction.on_commit)))
        executors: dict[Any, Any] = AsyncToSync.loop_thread_executors
        executors[self.loop] = self._jobs  # for Django's async ORM
        self._changed.callback(executors.pop, self.loop)
        before = channel_layers.set("default", InMemoryChannelLayer())
        self._changed.callback(channel_layers.set, "default", before)
        self._thread.start()

    def leave(self) -> bool:
        """Whether this was the last visit, with which everything ends."""
        self._visits -= 1
        if self._visits:
            return False
        asyncio.run_coroutine_threadsafe(self._end(), self.loop).result(END_SECONDS)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()
        self._changed.close()
        logs.forget_all()  # what is rolled back now was remembered
        return True

    async def _end(self) -> None:
        await registry.here().close()
        await registry.ended(asyncio.all_tasks() - {asyncio.current_task()})

    # --- The database's work -------------------------------------------------------------------------

    async def _run(self, elsewhere: Any, threads: Any, work: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        if asyncio.get_running_loop() is not self.loop:
            return await elsewhere(threads, work, *args, **kwargs)  # type: ignore[no-any-return]
        return await self.loop.run_in_executor(self._jobs, partial(work, *args, **kwargs))

    # --- Waiting, in the test ------------------------------------------------------------------------

    def wait(self, coroutine: Coroutine[Any, Any, R], seconds: float, missing: Callable[[], str]) -> R:
        """What the coroutine returns in the loop. AssertionError where nothing happens for so many seconds."""
        answer = self._started(coroutine)
        tell_what_is_due()
        deadline = monotonic() + seconds
        while not answer.done():
            try:
                job = self._jobs.waiting.get(timeout=max(0, deadline - monotonic()))
            except Empty:
                if answer.cancel():
                    raise AssertionError(missing()) from None
                continue
            deadline += timed(job)
        return answer.result()

    async def await_(self, coroutine: Coroutine[Any, Any, R], seconds: float, missing: Callable[[], str]) -> R:
        """The same in a test that is async; its database work is done where Django's is."""
        answer = self._started(coroutine)
        await sync_to_async(tell_what_is_due)()
        deadline = monotonic() + seconds
        while not answer.done():
            try:
                job = self._jobs.waiting.get_nowait()
            except Empty:
                if monotonic() > deadline and answer.cancel():
                    raise AssertionError(missing()) from None
                await asyncio.sleep(POLL_SECONDS)
                continue
            deadline += await sync_to_async(timed)(job)
        return answer.result()

    def _started(self, coroutine: Coroutine[Any, Any, R]) -> "Future[R]":
        answer = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        answer.add_done_callback(lambda _: self._jobs.waiting.put(None))
        return answer


def timed(job: Job | None) -> float:
    """Does it; how many seconds it took, which are no silence."""
    began = monotonic()
    if job is not None:
        committing.depth = depth()
        try:
            job()
        finally:
            del committing.depth
        tell_what_is_due()
    return monotonic() - began


committing = threading.local()  # how deep in blocks of the test's the job began: what it does there is done for good


def depth() -> int:
    return len(connection.savepoint_ids) if connection.in_atomic_block else -1


def release() -> None:
    """A thread that no test ends must not keep a connection: the test's database could not be removed."""
    if threading.current_thread() is not threading.main_thread() and not connection.in_atomic_block:
        connection.close()


def on_commit(original: Any, func: Callable[[], object], using: str | None = None, robust: bool = False) -> None:
    if not is_of_topics(func):
        original(func, using=using, robust=robust)
    elif getattr(committing, "depth", None) == depth():
        func()
    else:
        original(AfterCommit(func), using=using, robust=robust)


def is_of_topics(func: Callable[[], object]) -> bool:
    module = getattr(func.func if isinstance(func, partial) else func, "__module__", None) or ""
    return module.startswith("topics.")


def tell_what_is_due() -> None:
    """In the order of saying. What was said in a block that was rolled back is not there any more."""
    for _, due, *_ in list(connection.run_on_commit):
        if isinstance(due, AfterCommit):
            due()
