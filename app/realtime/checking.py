"""What every product is asked every few seconds: whatever the layer lost is found so, and quiet logs cost nothing."""

import asyncio
import logging
from collections.abc import Callable

from realtime.contract import Changed, Follower, Product
from realtime.failures import contained
from realtime.feed import Feed
from realtime.limits import CHECK_SECONDS
from realtime.present import Present
from realtime.standing import Standing

logger = logging.getLogger(__name__)


class LogCheck:
    """`feeds` and `present` are the hub's own; `restart(feed)` sends its sockets to a fresh start."""

    def __init__(
        self,
        feeds: dict[str, Feed],
        present: Present,
        standing: Standing,
        product_of: Callable[[Feed | Follower], Product],
        restart: Callable[[Feed], None],
    ) -> None:
        self._feeds = feeds
        self._present = present
        self._standing = standing
        self._product_of = product_of
        self._restart = restart

    async def run(self) -> None:
        """One query a product for all its logs."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        answered: dict[Product, float] = {}
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            for product in {self._product_of(one) for one in (*self._feeds.values(), *self._present)}:
                asked = loop.time()
                since = asked - answered.get(product, began)
                try:
                    for changed in await product.changed(since):
                        with contained("the check of a room's log"):
                            self._compare(changed)
                    for notice in await product.notices(since):
                        self._standing.heed(notice)
                    answered[product] = asked
                except Exception as error:
                    logger.warning("the log could not be asked what has changed: %s", error)
            await self._standing.check_everybody()

    def _compare(self, changed: Changed) -> None:
        feed = self._feeds.get(changed.room)
        if feed is None:
            return
        if not feed.is_of(changed.epoch) or changed.seq < feed.checked:
            self._restart(feed)
        else:
            feed.check(changed.seq)
