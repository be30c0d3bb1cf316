"""Several processes with people in rooms, a clock that is turned by hand, and a layer that can be told to fail."""

import heapq
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from realtime.limits import TICK_SECONDS
from realtime.presence import Presence
from realtime.presence.people import PEOPLE_IN_FRAME

Event = dict[str, Any]
MAX_EVENT_BYTES = 65_536


@dataclass(frozen=True)
class Frame:
    """A `presence` frame as it reached a socket."""

    at: float
    joined: set[str]
    left: set[str]
    count: int


@dataclass(eq=False)
class Socket:
    process: "Process"
    room: str
    key: str
    person: dict[str, Any]
    sees: set[str] = field(default_factory=set)
    count: int = 0
    frames: list[Frame] = field(default_factory=list)

    def take(self, joined: dict[str, Any], left: dict[str, Any], count: int) -> None:
        names = [{who["name"] for key, who in some.items() if key != self.key} for some in (joined, left)]
        if any(names):
            self.frames.append(Frame(self.process.world.now, *names, count))
            self.sees = self.sees - names[1] | names[0]
            self.count = count

    def leave(self) -> None:
        self.process.leave(self)


class Process:
    """Does what the hub does: enters and leaves groups, keeps a room's sockets, calls tick()."""

    def __init__(self, world: "World", name: str) -> None:
        self.world = world
        self.name = name
        self.sockets: dict[str, list[Socket]] = {}
        self.presence = Presence(name, self.send, self.announce, lambda: world.now)
        self.tick_at = world.now
        self.stalled_until = world.now

    def send(self, room: str | None, event: Event) -> None:
        self.world.send(self, room, event)

    def announce(self, room: str, joined: dict[str, Any], left: dict[str, Any], count: int) -> None:
        assert len(joined) <= 100
        assert len(left) <= 100
        for socket in self.sockets[room]:
            socket.take(joined, left, count)

    def enter(self, room: str, name: str, key: str) -> Socket:
        socket = Socket(self, room, key, {"name": name, "guest": True})
        self.sockets.setdefault(room, []).append(socket)
        self.presence.enter(room, key, socket.person)
        members, socket.count = self.presence.members(room, PEOPLE_IN_FRAME, list)
        socket.sees = {person["name"] for person in members}
        return socket

    def leave(self, socket: Socket) -> None:
        self.sockets[socket.room].remove(socket)
        self.presence.leave(socket.room, socket.key)
        if not self.sockets[socket.room]:
            del self.sockets[socket.room]
            self.presence.forget_room(socket.room)

    def hears(self, room: str | None) -> bool:
        return room is None or room in self.sockets

    def sees(self, room: str) -> set[str]:
        return {person["name"] for person in self.presence.members(room, 10_000, list)[0]}


class World:
    def __init__(self, *processes: str) -> None:
        self.now = 1000.0
        self.processes: dict[str, Process] = {}
        self.sent: list[tuple[float, str, str | None, Event]] = []
        self.loses: Callable[[Event, Process], bool] = lambda event, to: False
        self.delays: Callable[[Event, Process], list[float]] = lambda event, to: [0.002]
        self._on_the_way: list[tuple[float, int, Process, Event]] = []
        self._ids = itertools.count()
        for name in processes:
            self.start(name)

    def start(self, name: str) -> Process:
        """No two processes tick in one moment."""
        process = self.processes[name] = Process(self, name)
        process.tick_at += 0.03 * len(self.processes)
        return process

    def kill(self, name: str) -> None:
        """As by SIGKILL: its sockets are cut, and nobody is told."""
        del self.processes[name]

    def stop(self, name: str) -> None:
        self.processes[name].presence.goodbye()
        self.kill(name)

    def enter(self, name: str, room: str = "lobby", *, on: str, key: str = "") -> Socket:
        return self.processes[on].enter(room, name, key or f"key of {name}")

    def stall(self, name: str, seconds: float) -> None:
        """As by SIGSTOP and SIGCONT: meanwhile it does nothing, and what arrives waits."""
        self.processes[name].tick_at = self.processes[name].stalled_until = self.now + seconds

    def send(self, sender: Process, room: str | None, event: Event) -> None:
        packed = json.dumps(event)
        assert len(packed) < MAX_EVENT_BYTES
        self.sent.append((self.now, sender.name, room, event))
        for process in self.processes.values():
            if process.hears(room) and not self.loses(event, process):
                for delay in self.delays(event, process):
                    item = self.now + delay, next(self._ids), process, json.loads(packed)
                    heapq.heappush(self._on_the_way, item)

    def run(self, seconds: float) -> None:
        """Everything that happens in so many seconds, in its order."""
        end = self.now + seconds
        while True:
            ticks = min((process.tick_at for process in self.processes.values()), default=end)
            arrival = self._on_the_way[0][0] if self._on_the_way else end
            self.now = max(self.now, min(ticks, arrival, end))
            if self.now >= end:
                return
            if arrival <= ticks:
                _, number, process, event = heapq.heappop(self._on_the_way)
                if process.stalled_until > self.now:
                    heapq.heappush(self._on_the_way, (process.stalled_until, number, process, event))
                elif self.processes.get(process.name) is process:
                    process.presence.receive(event)
            else:
                process = min(self.processes.values(), key=lambda process: process.tick_at)
                process.presence.tick()
                process.tick_at = self.now + TICK_SECONDS

    def count(self, kind: str) -> int:
        return sum(event["presence"] == kind for _, _, _, event in self.sent)
