"""One event that grows while its followers read along, such as a language model's answer."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from asgiref.sync import sync_to_async
from django.db import transaction
from django.db.transaction import TransactionManagementError

from realtime import hubs
from topics import appending
from topics.data import encoded
from topics.delivery.live import TOPICS
from topics.errors import BadData
from topics.growing import grown
from topics.growing.growth import Growth
from topics.growing.keeper import CALL, keeper
from topics.wording import chosen_id

if TYPE_CHECKING:
    from topics.topic import Topic

logger = logging.getLogger(__name__)

OURS: Final = ("text", "status")


class Out:
    """Where to write. `seq` is the event's number."""

    def __init__(self, growth: Growth) -> None:
        self._growth = growth
        self.seq = growth.seq

    def write(self, text: str) -> None:
        """Adds some text. It is heard in a moment, and stored in another; after the end it is dropped.

        Raises BadData: NUL, half of a surrogate pair, or more than an event may have.
        """
        self._growth.write(text)

    @property
    def text(self) -> str:
        """All that was written."""
        return self._growth.text

    @property
    def cancelled(self) -> bool:
        """Whether nobody wants more: a reader has stopped it, or it was changed, retracted, removed or given up."""
        return bool(self._growth.status)


class AsyncOut:
    """The same for async code."""

    def __init__(self, out: Out) -> None:
        self._out = out
        self.seq = out.seq

    async def write(self, text: str) -> None:
        self._out.write(text)

    @property
    def text(self) -> str:
        return self._out.text

    @property
    def cancelled(self) -> bool:
        return self._out.cancelled


class Writing:
    """What Topic.writing gives: to be entered once, by `with` or `async with`."""

    def __init__(self, topic: "Topic", data: Any, by: Any) -> None:
        self._topic, self._by = topic, by
        self._data = checked({} if data is None else data)
        self._growth: Growth | None = None

    def __enter__(self) -> Out:
        if self._growth is not None:
            raise RuntimeError("An event is written once: call writing() again for another one.")
        self._growth = begun(self._topic, self._data, self._by)
        return Out(self._growth)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._growth is not None
        if kind is None:
            keeper.finish(self._growth, grown.DONE)
            return
        try:
            keeper.finish(self._growth, grown.FAILED)
        except Exception as other:  # nobody is to miss the first one for it; who looks next finds that it has failed
            logger.warning("event %d of %s could not be ended: %s", self._growth.seq, self._growth.topic, other)

    async def __aenter__(self) -> AsyncOut:
        return AsyncOut(await sync_to_async(self.__enter__)())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await sync_to_async(self.__exit__)(kind, error, trace)


def checked(data: Any) -> dict[str, Any]:
    if not isinstance(data, dict) or not all(isinstance(name, str) for name in data):
        raise BadData(f"An event that grows has an object for its data, such as {{'by': 'llm'}}, not {data!r}.")
    if taken := [name for name in OURS if name in data]:
        raise BadData(f"{taken[0]!r} is what the event says by itself: give it another name.")
    encoded({**data, "text": "", "status": grown.CANCELLED})
    return data


def begun(topic: "Topic", data: dict[str, Any], by: Any) -> Growth:
    rest = "," + encoded(data)[1:-1] if data else ""
    with alone():
        event = appending.append(topic, {"text": "", "status": grown.GROWS, **data}, chosen_id(), by)
        entry = grown.begin(topic.name, event.seq)
    growth = Growth(topic.name, event.seq, entry, rest)
    keeper.keep(growth)
    return growth


@contextmanager
def alone() -> Iterator[None]:
    """A transaction that is part of no other."""
    with ExitStack() as stack:
        try:
            stack.enter_context(transaction.atomic(durable=True))
        except RuntimeError:
            raise TransactionManagementError(
                "writing() is read by others while it goes on, so it cannot be part of a transaction: "
                "leave transaction.atomic() first, and ATOMIC_REQUESTS by @transaction.non_atomic_requests."
            ) from None
        yield


def cancel(topic: "Topic", seq: int) -> bool:
    found = grown.cancel(topic.name, seq)
    transaction.on_commit(hurry)
    return found


def hurry() -> None:
    """Has the process that writes look at once what was cancelled."""
    hubs.from_any_thread(TOPICS, lambda hub: hub.call(CALL))
