"""Which processes live.

Each tells all others every few seconds that it does. One that falls silent is dead, but not to a process that
hears nothing at all: a Redis that is away, or a stall of this process, is nobody else's death. A process
knows that it hears because the layer brings it its own leases back; where the layer never does, it trusts
its ears.
"""

from collections.abc import Collection

from realtime.presence.roster import NEVER

RENEW_SECONDS = 10.0
RETRY_SECONDS = 1.0  # while the last lease has not come back
EXPIRE_SECONDS = 25.0  # two lost leases are survived; with a frame's delay, ghosts go within 30 s
DEAF_SECONDS = RENEW_SECONDS + 2.0
STALL_SECONDS = 1.0  # the most that one tick counts as listening


class Leases:
    """Times are seconds of the caller's clock, which never goes back."""

    def __init__(self, now: float) -> None:
        self._now = now
        self._sent_at = NEVER
        self._echoed_at = NEVER
        self._due = True
        self._listened = 0.0  # seconds in which a lease would have been heard
        self._heard: dict[str, float] = {}  # process -> _listened at its last lease

    # --- This process's own ------------------------------------------------------------------------

    def due(self, now: float) -> bool:
        wait = RETRY_SECONDS if self.unheard else RENEW_SECONDS
        return self._due or now - self._sent_at >= wait

    def sent(self, now: float) -> None:
        self._sent_at = now
        self._due = False

    def hurry(self) -> None:
        """Somebody does not know of this process yet."""
        self._due = True

    def echoed(self, now: float) -> None:
        """This process's lease has come back to it."""
        self._echoed_at = now

    @property
    def unheard(self) -> bool:
        """Whether the last lease has not come back: what others said meanwhile may be lost, too."""
        return self._echoed_at < self._sent_at or self._sent_at == NEVER

    # --- The others' -------------------------------------------------------------------------------

    def renewed(self, process: str) -> None:
        self._heard[process] = self._listened

    @property
    def living(self) -> Collection[str]:
        return self._heard.keys()

    def sweep(self, now: float) -> list[str]:
        """The processes that are dead as of now; each is reported once."""
        if not NEVER < self._echoed_at < now - DEAF_SECONDS:
            self._listened += min(now - self._now, STALL_SECONDS)
        self._now = now
        dead = [process for process, at in self._heard.items() if self._listened - at > EXPIRE_SECONDS]
        for process in dead:
            del self._heard[process]
        return dead
