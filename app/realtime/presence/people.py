"""Who is in which room: people, not sockets, over all processes. Pure: no timer, task or layer of its own."""

from collections.abc import Callable, Collection
from itertools import islice, takewhile
from typing import TypeVar

from realtime.presence.exchange import Event, Exchange
from realtime.presence.roster import Person

T = TypeVar("T")

GRACE_SECONDS = 0.7  # in which a socket is replaced by another without noise; others see a leave within 1 s
FRAME_SECONDS = 0.95  # between two frames of a room: a second, less what timers and the network add
PEOPLE_IN_FRAME = 100  # that join, and as many that leave: with guests' longest names half of 64 KiB


class Presence:
    """One a process.

    process: a name that no other process has or had.
    send(room, event): queues an event to the room's group, or where room is None to all processes, this one
        included: by its own leases it knows that it hears. May lose it.
    announce(room, joined, left, member_count): tells the room's sockets here. joined and left are
        {key: person}, at most 100 each; who has a new name is in both.
    clock(): seconds; never goes back.
    """

    def __init__(
        self,
        process: str,
        send: Callable[[str | None, Event], None],
        announce: Callable[[str, dict[str, Person], dict[str, Person], int], None],
        clock: Callable[[], float],
    ) -> None:
        self._announce = announce
        self._clock = clock
        self._sockets: dict[str, dict[str, int]] = {}  # room -> key -> how many
        self._entered: dict[str, float] = {}  # when a room got its first socket here
        self._leaving: dict[tuple[str, str], float] = {}  # (room, key) -> end of the grace, ascending
        self._untold: dict[str, None] = {}  # rooms whose sockets have something to be told
        self._exchange = Exchange(process, send, self._changed, clock())

    def enter(self, room: str, key: str, person: Person) -> None:
        """One more socket of the person with this key."""
        first = room not in self._sockets
        sockets = self._sockets.setdefault(room, {})
        sockets[key] = sockets.get(key, 0) + 1
        self._leaving.pop((room, key), None)
        self._exchange.listen(room)
        self._exchange.put(room, key, person)
        self._entered.setdefault(room, self._clock())
        if first:  # what has changed so far is in its welcome, and there is no other socket to tell
            self._untold.pop(room, None)
            self._exchange.rosters[room].told()

    def leave(self, room: str, key: str) -> None:
        """One socket less; her leave, if it was her last and no other follows soon. KeyError where she had none."""
        sockets = self._sockets[room]
        sockets[key] -= 1
        if sockets[key]:
            return
        del sockets[key]
        if not sockets:
            del self._sockets[room]
        self._leaving[room, key] = self._clock() + GRACE_SECONDS

    def forget_room(self, room: str) -> None:
        """The room's last socket here has left: this process hears its group no longer."""
        self._exchange.ignore(room)
        self._entered.pop(room, None)
        self._untold.pop(room, None)

    def members(self, room: str, limit: int, word: Callable[[list[Person]], T]) -> tuple[T, int]:
        """word(some of a room that somebody has entered here), and how many all are.

        Where nobody was before, those of other processes follow within a second, by announce.
        """
        roster = self._exchange.rosters[room]
        return roster.show(limit, word), len(roster.here)

    def people(self, room: str, limit: int) -> tuple[dict[str, Person], int]:
        """Some of a room that somebody has entered here, by key, and how many all are."""
        here = self._exchange.rosters[room].here
        return dict(islice(here.items(), limit)), len(here)

    def listens(self, room: str, seconds: float = 0.0) -> bool:
        """Whether there has been a socket here for so long. After a second everybody there is known."""
        return room in self._entered and self._clock() - self._entered[room] >= seconds

    def processes(self) -> Collection[str]:
        """The other ones that live."""
        return self._exchange.processes()

    def receive(self, event: Event) -> None:
        """An event that a process has sent, this one or another."""
        now = self._clock()
        self._exchange.receive(event, now)
        if (room := event.get("room")) in self._untold:
            self._tell(room, now)

    def tick(self) -> None:
        """Everything that waits for its time. To be called every TICK_SECONDS."""
        now = self._clock()
        for room, key in [who for who, _ in takewhile(lambda item: item[1] <= now, self._leaving.items())]:
            del self._leaving[room, key]
            self._exchange.put(room, key, None)
        self._exchange.tick(now)
        for room in list(self._untold):
            self._tell(room, now)

    def goodbye(self) -> None:
        """The process ends: the others drop its people at once, and hear of it no more."""
        self._exchange.goodbye()

    def _changed(self, room: str) -> None:
        self._untold[room] = None

    def _tell(self, room: str, now: float) -> None:
        roster = self._exchange.rosters[room]
        if now - roster.told_at < FRAME_SECONDS:
            return
        joined, left = roster.take_changes(PEOPLE_IN_FRAME)
        if not roster.untold:
            del self._untold[room]
        if joined or left:
            roster.told_at = now
            self._announce(room, joined, left, len(roster.here))
