"""Who has come and gone, as the sockets of a log are told. Nobody is told of their own coming and going."""

from collections.abc import Callable
from functools import partial
from typing import Any

from realtime.audience import in_words
from realtime.bundle import Bundle
from realtime.contract import Product
from realtime.feed import Feed

People = dict[str, dict[str, Any]]


def announce(
    feeds: dict[str, Feed],
    product_of: Callable[[Feed], Product],
    room: str,
    joined: People,
    left: People,
    member_count: int,
) -> None:
    """One frame in each dialect, and one of their own for those who are in it."""
    feed = feeds.get(room)
    if feed is None:
        return
    word = partial(product_of(feed).presence_frame, room)
    everything = word(list(joined.values()), list(left.values()), member_count)
    for dialect in feed.live.dialects:
        bundle = Bundle.of(in_words(dialect, everything))
        for follower in feed.live.of(dialect):
            try:
                if follower.key in joined or follower.key in left:
                    others = [[who for key, who in some.items() if key != follower.key] for some in (joined, left)]
                    if any(others):
                        follower.offer(Bundle.of(in_words(dialect, word(others[0], others[1], member_count))))
                else:
                    follower.offer(bundle)
            except Exception as error:
                feed.give_up(follower, error)
