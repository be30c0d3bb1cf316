"""How much a person, or an address, may do: one bucket for all their sockets in this process.

Other processes have buckets of the same people. Once a second each tells the others who has taken much of theirs, and
that is taken here, too: so several processes together let through about as much as one. Nobody waits for that; where
the others cannot be heard, each process holds the limit by itself.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from heapq import nlargest
from threading import Lock
from typing import Final

from realtime.limits import TokenBucket

TELL_SECONDS: Final = 1.0
TELL_SHARE: Final = 8  # of what is let through in that time: who takes less is not worth telling,
TELL_MOST: Final = 200  # nor are more than these

Limits = dict[str, tuple[float, float]]
"""Whose rate and burst these are, by key."""


@dataclass(slots=True)
class Account:
    bucket: TokenBucket
    sockets: int = 0


class Allowance:
    """One frame takes from several buckets: from none where one of them has nothing left for the time being."""

    __slots__ = ("_buckets",)

    def __init__(self, buckets: list[TokenBucket]) -> None:
        self._buckets = buckets

    def take(self, now: float) -> float:
        for bucket in self._buckets:
            if early := bucket.early(now):
                return early
        for bucket in self._buckets:
            bucket.take(now)
        return 0.0


class Rates:
    """`tell(spent)` says to the other processes how many each key has taken here; clock() never goes back."""

    def __init__(self, clock: Callable[[], float], tell: Callable[[dict[str, int]], None] = lambda spent: None) -> None:
        self._clock = clock
        self._tell = tell
        self._told_at = clock()
        self._accounts: dict[str, Account] = {}
        self._lock = Lock()  # for `take_once` alone

    def enter(self, limits: Limits) -> TokenBucket | Allowance:
        """One more socket under these limits; what each of its frames takes from."""
        buckets = []
        for key, (rate, burst) in limits.items():
            account = self._accounts.get(key)
            if account is None:
                account = self._accounts[key] = Account(TokenBucket(rate, burst))
            account.sockets += 1
            buckets.append(account.bucket)
        return buckets[0] if len(buckets) == 1 else Allowance(buckets)

    def leave(self, keys: Iterable[str]) -> None:
        """One socket less. What was taken stays taken: a new socket is no new allowance."""
        for key in keys:
            self._accounts[key].sockets -= 1

    def take_once(self, limits: Limits) -> float:
        """For who has no socket, from any thread: one, or the seconds that it is too early."""
        with self._lock:
            allowance = self.enter(limits)
            self.leave(limits)
            early = allowance.take(self._clock())
            self.tick()
        return early

    def spent_elsewhere(self, spent: dict[str, int]) -> None:
        now = self._clock()
        for key, count in spent.items():
            if account := self._accounts.get(key):
                account.bucket.charge(count, now)

    def tick(self) -> None:
        """To be called now and then: tells the others, and forgets who has left and has their whole allowance."""
        now = self._clock()
        if now - self._told_at < TELL_SECONDS:
            return
        self._told_at = now
        spent = {}
        for key, account in list(self._accounts.items()):
            if taken := account.bucket.taken_since():
                if taken * TELL_SHARE >= account.bucket.rate:
                    spent[key] = taken
            elif not account.sockets and account.bucket.is_full(now):
                del self._accounts[key]
        if spent:
            self._tell(dict(nlargest(TELL_MOST, spent.items(), key=lambda item: item[1])))
