"""What the processes tell each other about who is in which room.

Every process says in a room's group which of its own people came and went (`delta`), and to all processes
that it lives (`lease`). The layer may lose, double, delay and reorder all of it. So what is known of a process
in a room is a pair: these people, true as of that number among the process's changes. A delta names the
room's change before it, and a lease lists the rooms that changed last with their numbers; whoever is behind
wants the room's state and asks for it until one that is new enough has come. A process keeps others' people
only of rooms in which it has sockets itself. What the events carry is in `events.PRESENCE`; a delta goes to the
room's group, all others to everybody.
"""

from collections.abc import Callable, Collection
from typing import Any

from realtime.presence.gaps import Gaps, Journal
from realtime.presence.leases import Leases
from realtime.presence.parcels import PEOPLE_IN_EVENT, ROOMS_IN_EVENT, parcels, portions
from realtime.presence.roster import Person, Roster

Event = dict[str, Any]


class Exchange:
    """send(room, event): to the room's group, or to all where room is None. changed(room): its roster has."""

    def __init__(
        self,
        process: str,
        send: Callable[[str | None, Event], None],
        changed: Callable[[str], None],
        now: float,
    ) -> None:
        self.rosters: dict[str, Roster] = {}
        self._process = process
        self._send = send
        self._changed = changed
        self._heard: dict[str, None] = {}  # the rooms that this process listens to
        self._unsent: dict[str, dict[str, Person | None]] = {}
        self._asked: dict[str, None] = {}
        self._journal = Journal()
        self._gaps = Gaps()
        self._leases = Leases(now)
        self._receivers: dict[str, Callable[[Event], None]] = {
            "delta": self._receive_delta,
            "lease": self._receive_lease,
            "ask": self._receive_ask,
            "state": self._receive_state,
            "goodbye": self._receive_goodbye,
        }

    # --- This process's side -----------------------------------------------------------------------

    def listen(self, room: str) -> None:
        """From here on the process wants to know who else is in the room."""
        if room not in self._heard:
            self._heard[room] = None
            self.rosters.setdefault(room, Roster())
            self._gaps.open(room)

    def ignore(self, room: str) -> None:
        if room in self._heard:
            del self._heard[room]
            self._gaps.close(room)
            self.rosters[room].keep_only(self._process)
            self._tidy(room)

    def put(self, room: str, key: str, person: Person | None) -> None:
        """One of this process's people is there, has another name, or (None) is not there any more."""
        roster = self.rosters[room]
        if roster.people(self._process).get(key) != person:
            roster.put(self._process, key, person)
            self._unsent.setdefault(room, {})[key] = person
            self._note_change(room)

    def goodbye(self) -> None:
        self._tell_all("goodbye")
        self._send = lambda room, event: None

    def tick(self, now: float) -> None:
        if self._leases.due(now):
            self._renew(now)
        unsent, self._unsent = self._unsent, {}
        for room, changes in unsent.items():
            self._send_changes(room, changes)
            if self._journal.long:
                self._renew(now)
        self._send_states()
        for process in self._leases.sweep(now):
            self._drop(process)
        for processes, rooms in self._gaps.due(now):
            for some in portions(rooms, ROOMS_IN_EVENT):
                self._tell_all("ask", of=processes, rooms=some)

    def _renew(self, now: float) -> None:
        hello = self._leases.unheard
        self._leases.sent(now)
        self._tell_all("lease", hello=hello, **self._journal.list())

    def _send_changes(self, room: str, changes: dict[str, Person | None]) -> None:
        roster = self.rosters[room]
        for some in portions(list(changes.items()), PEOPLE_IN_EVENT):
            previous, number = roster.as_of(self._process), self._journal.note(room)
            roster.advance(self._process, number)
            joined = {key: person for key, person in some if person is not None}
            left = [key for key, person in some if person is None]
            self._tell(room, "delta", room=room, number=number, previous=previous, joined=joined, left=left)
        self._tidy(room)

    def _send_states(self) -> None:
        """One answer for all who have asked. Every change has been sent: it is as of the last one."""
        asked, self._asked = self._asked, {}
        for rooms in parcels((room, self._own_people(room)) for room in asked):
            self._tell_all("state", as_of=self._journal.number, rooms=rooms)

    def _own_people(self, room: str) -> dict[str, Person]:
        return self.rosters[room].people(self._process) if room in self.rosters else {}

    def _tidy(self, room: str) -> None:
        """A roster that nobody listens to is kept while something is to be said of this process's people."""
        if room not in self._heard and room not in self._unsent and not self._own_people(room):
            del self.rosters[room]

    def _note_change(self, room: str) -> None:
        if room in self._heard:
            self._changed(room)

    def _tell(self, to: str | None, name: str, /, **what: Any) -> None:
        self._send(to, {"presence": name, "process": self._process, **what})

    def _tell_all(self, name: str, /, **what: Any) -> None:
        self._tell(None, name, **what)

    # --- The others' side --------------------------------------------------------------------------

    def receive(self, event: Event, now: float) -> None:
        """Any event, in any order and number. A name that is not known is a newer version's."""
        name, process = event["presence"], event["process"]
        if process == self._process:
            if name == "lease":
                self._leases.echoed(now)
        elif name in self._receivers:
            self._receivers[name](event)

    def _receive_lease(self, event: Event) -> None:
        process = event["process"]
        if event["hello"] or not self._gaps.knows(process):
            self._leases.hurry()
        self._leases.renewed(process)
        for room, number in self._gaps.compare(event, self._heard).items():
            if self.rosters[room].as_of(process) < number:
                self._gaps.want(process, room, number)

    def _receive_delta(self, event: Event) -> None:
        process, room, number, previous = event["process"], event["room"], event["number"], event["previous"]
        if room not in self._heard or not self._gaps.knows(process):
            return
        roster = self.rosters[room]
        if number <= roster.as_of(process):
            return
        if previous > roster.as_of(process):
            self._gaps.want(process, room, number)
            return
        if previous == 0:
            roster.replace(process, {})
        for key, person in event["joined"].items():
            roster.put(process, key, person)
        for key in event["left"]:
            roster.put(process, key, None)
        self._advance(process, room, number)

    def _receive_state(self, event: Event) -> None:
        process, as_of = event["process"], event["as_of"]
        for room, part, parts, people in event["rooms"] if self._gaps.knows(process) else ():
            if room in self._heard and as_of > self.rosters[room].as_of(process):
                everybody = self.rosters[room].collect(process, as_of, part, parts, people)
                if everybody is not None:
                    self.rosters[room].replace(process, everybody)
                    self._advance(process, room, as_of)

    def _receive_ask(self, event: Event) -> None:
        if self._process in event["of"]:
            self._asked.update(dict.fromkeys(event["rooms"]))

    def _receive_goodbye(self, event: Event) -> None:
        self._drop(event["process"])

    def _advance(self, process: str, room: str, as_of: int) -> None:
        self.rosters[room].advance(process, as_of)
        self._gaps.fill(process, room, as_of)
        self._note_change(room)

    def processes(self) -> Collection[str]:
        return self._leases.living

    def _drop(self, process: str) -> None:
        self._gaps.forget(process)
        for room in self._heard:
            if self.rosters[room].drop(process):
                self._note_change(room)
