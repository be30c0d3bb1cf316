"""What one client sent and the application has not received yet."""

import asyncio
from collections.abc import Callable
from typing import Any

from realtime.limits import INBOX_BYTES, INBOX_FRAMES

Message = dict[str, Any]


class Inbox:
    """A queue with one receiver at a time. Whoever fills it asks first whether it is full.

    `on_empty` is called when the receiver has taken the last message: time to fetch more.
    """

    __slots__ = ("_bytes", "_messages", "_on_empty", "_receiver")

    def __init__(self, on_empty: Callable[[], None]) -> None:
        self._on_empty = on_empty
        self._messages: list[Message] = []
        self._bytes = 0
        self._receiver: asyncio.Future[None] | None = None

    @property
    def full(self) -> bool:
        return len(self._messages) >= INBOX_FRAMES or self._bytes >= INBOX_BYTES

    def put_nowait(self, message: Message, size: int = 0) -> None:
        self._messages.append(message)
        self._bytes += size
        if self._receiver and not self._receiver.done():
            self._receiver.set_result(None)

    async def get(self) -> Message:
        while not self._messages:
            self._receiver = asyncio.get_running_loop().create_future()
            await self._receiver
        message = self._messages.pop(0)
        if not self._messages:
            self._bytes = 0
            self._on_empty()
        return message
