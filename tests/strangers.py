"""Members of the ledger in the topic of docs/topics.md, wherever the app of that page runs."""

import json
import urllib.request
from collections.abc import Awaitable, Callable

from client import new_id
from ledger import Account, Conversation, keep_all
from regulars import OnSocket

OPTIONS = ("pizza", "pasta")
PAGE = 200  # events, the longest page of history


class Stranger(OnSocket):
    def _data(self, id: str) -> str:
        return OPTIONS[int(id, 16) % 2]


async def vote_through(base: str, fault: Callable[[], Awaitable[None]]) -> Account:
    """Four people vote while it happens. What they can count on is asserted here. `base` is like ws://127.0.0.1:8000."""
    topic = f"votes/{new_id()}"
    people = [Stranger(base, topic, batch=number % 2 == 1) for number in range(4)]
    (account,) = await keep_all([Conversation(people, lambda: history(base, topic))], fault)
    print(account)
    assert account.faultless, account
    assert account.acked > 160
    return account


def history(base: str, topic: str) -> list[tuple[int, str, str]]:
    """(seq, id, data) of everything in the topic's log, in order, as anybody may read it."""
    found: list[tuple[int, str, str]] = []
    while True:
        after = found[-1][0] if found else 0
        url = f"{base.replace('ws', 'http', 1)}/topics/{topic}?after={after}&limit={PAGE}"
        with urllib.request.urlopen(url, timeout=60) as answer:
            page = json.load(answer)["events"]
        if not page:
            return found
        found += [(event["seq"], event["id"], event["data"]) for event in page]
