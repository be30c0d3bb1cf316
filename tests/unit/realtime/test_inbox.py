"""What one client sent and the application has not received yet."""

import asyncio

from realtime.inbox import Inbox
from realtime.limits import INBOX_FRAMES, MAX_FRAME_BYTES


def inbox_of(emptied: list[str] | None = None) -> Inbox:
    return Inbox(lambda: (emptied if emptied is not None else []).append("emptied"))


async def test_it_keeps_the_order_and_says_when_it_is_empty() -> None:
    emptied: list[str] = []
    inbox = inbox_of(emptied)
    inbox.put_nowait({"n": 1})
    inbox.put_nowait({"n": 2})
    assert await inbox.get() == {"n": 1}
    assert emptied == []
    assert await inbox.get() == {"n": 2}
    assert emptied == ["emptied"]


async def test_a_receiver_waits_for_what_comes() -> None:
    inbox = inbox_of()
    receiving = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    inbox.put_nowait({"n": 1})
    inbox.put_nowait({"n": 2})
    assert await receiving == {"n": 1}
    assert await inbox.get() == {"n": 2}


async def test_a_receiver_that_gives_up_loses_nothing() -> None:
    inbox = inbox_of()
    receiving = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    receiving.cancel()
    inbox.put_nowait({"n": 1})
    assert await inbox.get() == {"n": 1}


async def test_it_is_full_by_number_or_by_size_until_it_is_empty() -> None:
    inbox = inbox_of()
    for _ in range(INBOX_FRAMES):
        assert not inbox.full
        inbox.put_nowait({}, 1)
    assert inbox.full
    for _ in range(INBOX_FRAMES):
        await inbox.get()
    assert not inbox.full
    inbox.put_nowait({}, MAX_FRAME_BYTES)
    assert inbox.full
