"""Who may read or write a topic, and what becomes of what a client sends: the topic's own answers."""

import logging
from collections.abc import Awaitable, Callable, Collection
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from asgiref.sync import async_to_sync, iscoroutinefunction
from django.db import Error as DatabaseError

from topics.errors import Refused
from topics.people import Person
from topics.storing import database

if TYPE_CHECKING:
    from topics.topic import Topic

READ: Final = "read"
WRITE: Final = "write"
TOGETHER: Final = 100  # sync answers of one turn in a thread
NO: Final = Refused()  # for no reason that anybody is told
KEPT_SECONDS: Final = 1  # for an answer about writing; who may not any more is heard for no longer than this

logger = logging.getLogger(__name__)


@lru_cache(maxsize=1_000)
def is_async(method: Callable[..., Any]) -> bool:
    """Of a topic's class: asking costs more than most answers do."""
    return iscoroutinefunction(method)


async def may(topic: "Topic", person: Person, act: str) -> bool:
    """Raises the database's errors: nobody knows then. Every other one is a mistake in `may`, and means no."""
    return await refusal(topic, person, act) is None


async def refusal(topic: "Topic", person: Person, act: str) -> Refused | None:
    """Why the person may not; None where she may. It has a sentence where the topic's `may` has raised one."""
    if person.scope is not None and not person.scope.allows(topic.name, act):
        return NO
    if not is_async(type(topic).may):
        return await database.run(database.readers, refusal_now, topic, person, act)
    try:
        return None if await topic.may(person, act) else NO
    except Refused as refused:
        return refused
    except DatabaseError:
        raise
    except Exception:
        logger.exception("%s does not know who may %s", type(topic).__name__, act)
        return NO


def refusal_now(topic: "Topic", person: Person, act: str) -> Refused | None:
    """The same for a topic whose `may` is sync, in this very thread."""
    if person.scope is not None and not person.scope.allows(topic.name, act):
        return NO
    try:
        return None if topic.may(person, act) else NO
    except Refused as refused:
        return refused
    except DatabaseError:
        raise
    except Exception:
        logger.exception("%s does not know who may %s", type(topic).__name__, act)
        return NO


Asked = tuple["Topic", Person]


async def not_readable(asked: Collection[Asked]) -> dict[Asked, Refused]:
    """Those of these where the person may not read, and why. Many sync answers take one turn in a thread."""
    sync = [one for one in asked if not is_async(type(one[0]).may)]
    no = {one: why for one in set(asked).difference(sync) if (why := await refusal(*one, READ))}
    for first in range(0, len(sync), TOGETHER):
        no |= await database.run(database.readers, _not_readable_now, sync[first : first + TOGETHER])
    return no


def _not_readable_now(asked: Collection[Asked]) -> dict[Asked, Refused]:
    return {one: why for one in asked if (why := refusal_now(*one, READ))}


def received(topic: "Topic", person: Person, data: Any) -> Awaitable[Any]:
    """What is to be appended. Raises what the topic raises."""
    if is_async(type(topic).received):
        return topic.received(person, data)  # type: ignore[no-any-return]
    return database.run(database.readers, topic.received, person, data)


def readable(topics: "Collection[Topic]", person: Person) -> "set[Topic]":
    """From sync code: those of these that the person may read."""
    kept = {topic for topic in topics if not is_async(type(topic).may) and not refusal_now(topic, person, READ)}
    if asked := {(topic, person) for topic in topics if is_async(type(topic).may)}:
        kept |= {topic for topic, _ in asked - async_to_sync(not_readable)(asked).keys()}
    return kept
