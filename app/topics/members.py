"""Who follows a topic now, over all processes, asked from any process."""

import asyncio
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import SynchronousOnlyOperation

from realtime import hubs
from realtime.asking import Here, Unheard
from realtime.limits import ASK_SECONDS
from topics.delivery.live import PREFIX, TOPICS
from topics.errors import Unreachable
from topics.people import Person, of_key

if TYPE_CHECKING:
    from topics.topic import Topic

MOST: Final = 1_000  # people in one answer
PATIENCE_SECONDS: Final = ASK_SECONDS + 2  # for a hub that is busy


class Members(list[Person]):
    """Some who follow a topic, each once however many sockets she has; `total` is how many all are."""

    def __init__(self, people: dict[str, dict[str, Any]], total: int) -> None:
        super().__init__(of_key(key, shown["name"], shown["guest"]) for key, shown in people.items())
        self.total = total


def members(topic: "Topic", limit: int) -> Members:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asked = _asked(topic, limit)
        return Members({}, 0) if asked is None else _answer(asked)
    raise SynchronousOnlyOperation("members() waits for other processes: use `await amembers()` in async code.")


def _answer(asked: "Future[Here]") -> Members:
    try:
        return Members(*asked.result(PATIENCE_SECONDS))
    except (Unheard, TimeoutError):
        raise Unreachable from None


async def amembers(topic: "Topic", limit: int) -> Members:
    asked = _asked(topic, limit)
    if asked is None:
        return Members({}, 0)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return Members(*await asyncio.wrap_future(asked))
    except (Unheard, TimeoutError):
        raise Unreachable from None


def _asked(topic: "Topic", limit: int) -> "Future[Here] | None":
    """None where there is no hub to be asked: without Redis all sockets would be in this very process."""
    if not isinstance(limit, int) or limit < 0:
        raise TypeError(f"limit is a whole number, not {limit!r}.")
    return hubs.ask_from_any_thread(TOPICS, lambda hub: hub.members(PREFIX + topic.name, min(limit, MOST)))
