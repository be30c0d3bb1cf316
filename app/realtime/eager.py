"""Coroutines that run at once, as far as they come, and cost a task only where they have to wait."""

import asyncio
import types
from collections.abc import Coroutine, Generator
from typing import Any


def start(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
    """Runs the coroutine here and now until it has to wait. Only then is a task made, and returned."""
    try:
        awaited = coroutine.send(None)
    except StopIteration:
        return None
    return asyncio.get_running_loop().create_task(_rest(coroutine, awaited))


async def _rest(coroutine: Coroutine[Any, Any, None], awaited: Any) -> None:
    """Since Python 3.12 no task is made of a generator."""
    await _continued(coroutine, awaited)


@types.coroutine
def _continued(coroutine: Coroutine[Any, Any, None], awaited: Any) -> Generator[Any, Any, None]:
    """The rest of a coroutine that was begun by hand and waits for `awaited`."""
    while True:
        try:
            result = yield awaited
        except BaseException as error:
            resume, value = coroutine.throw, error
        else:
            resume, value = coroutine.send, result  # type: ignore[assignment]
        try:
            awaited = resume(value)
        except StopIteration:
            return
