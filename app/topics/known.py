"""What an app knows by heart, so that an answer such as `may` costs no query for each message.

restrictions = Known("polls.restrictions", read_all)  # at the top of a module; read_all() asks the database

async def may(self, person, act):
    return person.key not in await restrictions.get()

with transaction.atomic():
    Restriction.objects.create(...)
    restrictions.changed()
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

from asgiref.sync import sync_to_async
from django.db import OperationalError

from realtime import hubs, registry
from realtime.hub import Hub
from topics import putting_out
from topics.delivery.live import TOPICS
from topics.storing.gathering import Gathering, Unanswered
from topics.who import notices

T = TypeVar("T")

ALONE_SECONDS: Final = 1.0  # that it is believed where no socket is here: such a process is not told everything
LONGEST_SECONDS: Final = 60  # that it is believed anywhere


class Known(Generic[T]):
    """One for the process. `name` is the same in all processes and of no other one: an app's label and a word.

    `read()` runs in a thread, and should be cheap: it is asked again, as a whole, by each process after each change.
    """

    def __init__(self, name: str, read: Callable[[], T]) -> None:
        self._call = f"known:{name}"
        self._read = read
        self._last: Remembered[T] | None = None  # that was asked: mostly there is one loop

    def at_once(self) -> T | None:
        """What `get` returns, where it need not ask anybody. In a loop."""
        last = self._last
        return last.known() if last is not None and last.loop is asyncio.get_running_loop() else None

    async def get(self) -> T:
        """Raises the database's errors where it cannot be read now."""
        here = registry.here()
        if Hub not in here:
            return await here.get((self, "alone"), lambda: Alone(self._read)).get()
        self._last = here.get(self, lambda: Remembered(hubs.here(TOPICS), self._call, self._read))
        return await self._last.get()

    def changed(self) -> None:
        """Every process reads it again. Heard after COMMIT, within a second; where Redis is away, within three."""
        putting_out.tell(notices.new(person=self._call, out=False))


class Knowledge(NamedTuple, Generic[T]):
    """`change`: how often it had changed when it was read."""

    change: int
    at: float
    value: T


class Remembered(Generic[T]):
    """One a loop."""

    def __init__(self, hub: Hub, call: str, read: Callable[[], T]) -> None:
        self._hub = hub
        self.loop = hub.loop
        self._read = read
        self._change = 0
        self._known: Knowledge[T] | None = None
        self._asked: Gathering[float, T] = Gathering(self._answers)
        hub.calls[call] = self._doubt

    def known(self) -> T | None:
        known = self._known
        if known is not None and known.change == self._change:
            age = self.loop.time() - known.at
            if age < ALONE_SECONDS or (age < LONGEST_SECONDS and (self._hub.feeds or any(self._hub.present))):
                return known.value
        return None

    async def get(self) -> T:
        if (known := self.known()) is not None:
            return known
        try:
            return await self._asked.ask(self.loop.time())
        except Unanswered as error:
            raise OperationalError(str(error)) from error

    async def finish(self) -> None:
        """Whoever has asked waits for it."""

    async def close(self) -> None:
        self._known = None
        self._change += 1
        await self._asked.close()

    def _doubt(self) -> None:
        self._change += 1

    def _answers(self, asked: Sequence[float]) -> Sequence[T]:
        """To those who have asked at these times."""
        change = self._change
        self._known = Knowledge(change, asked[-1], self._read())
        return [self._known.value] * len(asked)


class Alone(Generic[T]):
    """For sync code that waits in a loop of its own, for a moment: its own thread asks the database, once."""

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._value: T | None = None
        self._at = -ALONE_SECONDS

    async def get(self) -> T:
        if self._value is None or time.monotonic() - self._at >= ALONE_SECONDS:
            self._at = time.monotonic()
            self._value = await sync_to_async(self._read)()
        return self._value

    async def finish(self) -> None:
        """Nothing is left to do."""

    async def close(self) -> None:
        """Nothing is open."""
