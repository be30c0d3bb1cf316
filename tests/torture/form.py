"""A thousand posts by form: gunicorn tells the sockets of each without dialling Redis anew."""

import asyncio
import time
from dataclasses import dataclass

from client import enter, new_room
from integration.test_storing import opened, say_by_form
from servers.stack import Stack
from visitor import Visitor, room_page

POSTS = 1_000
MOST = 5  # connections, for workers that had none yet
WARM_UP = 8  # posts, by which every worker has said something


@dataclass
class Posts:
    posts: int
    connections: int  # new ones, to Redis
    seconds: float


async def posts(stack: Stack) -> Posts:
    """Returns when a socket has heard all of them."""
    room, bob = new_room("form"), Visitor(stack.base_url)
    async with await enter(stack.ws[0].ws_url, room) as alice:
        await asyncio.to_thread(say_by_form, bob, room_page(room), WARM_UP)
        before, began = opened(stack), time.monotonic()
        await asyncio.to_thread(say_by_form, bob, room_page(room), POSTS)
        seconds = time.monotonic() - began
        last = WARM_UP + POSTS
        await alice.until(lambda frame: frame["type"] == "message" and frame["seq"] == last, f"message {last}")
        return Posts(POSTS, opened(stack) - before, round(seconds, 1))
