"""Whatever people, processes and the layer do: once it is quiet, everybody sees who is there and nobody else."""

import random
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from unit.realtime.presence_world import Process, Socket, World

PEOPLE = ["alice", "bob", "dora"]
ROOMS = ["lobby", "garden"]
QUIET = 50.0  # longer than a lease, the death of a process, and every question asked again


class Presences(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = World("process 1", "process 2")
        self.started = 2
        self.names: dict[tuple[str, str, str], str] = {}  # (process, room, key) -> at the last enter

    @property
    def running(self) -> list[Process]:
        return list(self.world.processes.values())

    @property
    def sockets(self) -> list[Socket]:
        return [each for process in self.running for room in process.sockets.values() for each in room]

    # --- What people do ------------------------------------------------------------------------------

    @rule(data=st.data(), key=st.sampled_from(PEOPLE), room=st.sampled_from(ROOMS), renamed=st.booleans())
    def enter(self, data: st.DataObject, key: str, room: str, renamed: bool) -> None:
        process = data.draw(st.sampled_from(self.running), label="process")
        name = self.names[process.name, room, key] = f"new {key}" if renamed else key
        process.enter(room, name, key)

    @precondition(lambda self: self.sockets)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.sockets), label="socket").leave()

    @rule(seconds=st.sampled_from([0.001, 0.1, 0.5, 1.0, 5.0, 12.0, 40.0]))
    def wait(self, seconds: float) -> None:
        self.world.run(seconds)

    # --- What processes do ---------------------------------------------------------------------------

    @precondition(lambda self: len(self.running) < 4)
    @rule()
    def start(self) -> None:
        self.started += 1
        self.world.start(f"process {self.started}")

    @precondition(lambda self: len(self.running) > 1)
    @rule(data=st.data(), politely=st.booleans())
    def end(self, data: st.DataObject, politely: bool) -> None:
        name = data.draw(st.sampled_from(self.running), label="process").name
        (self.world.stop if politely else self.world.kill)(name)

    @rule(data=st.data(), seconds=st.sampled_from([2.0, 15.0, 40.0]))
    def stall(self, data: st.DataObject, seconds: float) -> None:
        self.world.stall(data.draw(st.sampled_from(self.running), label="process").name, seconds)

    # --- What the layer does -------------------------------------------------------------------------

    @rule(seed=st.integers(0, 2**16), lost=st.sampled_from([0.0, 0.2, 0.6, 1.0]), late=st.sampled_from([0.0, 1.0, 8.0]))
    def spoil(self, seed: int, lost: float, late: float) -> None:
        chance = random.Random(seed)
        self.world.loses = lambda event, to: chance.random() < lost
        self.world.delays = lambda event, to: [
            chance.uniform(0.001, 0.001 + late) for _ in range(chance.choice([1, 1, 2]))
        ]

    @rule(data=st.data())
    def deafen(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.running), label="process").name
        self.world.loses = lambda event, to: to.name == name

    # --- What must come of it ------------------------------------------------------------------------

    @rule()
    def everybody_sees_who_is_there(self) -> None:
        self.world.loses = lambda event, to: False
        self.world.delays = lambda event, to: [0.002]
        for process in self.running:
            self.world.stall(process.name, 0)
        self.world.run(QUIET)
        for socket in self.sockets:
            expected = self.people(socket.room)
            assert socket.process.sees(socket.room) == expected
            herself = {socket.key, f"new {socket.key}"}  # of whom she is told nothing
            assert socket.sees - herself == expected - herself
            assert socket.count == len(expected)

    def people(self, room: str) -> set[str]:
        """Everybody once, by the name of the latest socket in the first process."""
        first: dict[str, str] = {}
        for socket in self.sockets:
            if socket.room == room:
                first[socket.key] = min(socket.process.name, first.get(socket.key, socket.process.name))
        return {self.names[process, room, key] for key, process in first.items()}

    def teardown(self) -> None:
        self.everybody_sees_who_is_there()


Presences.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=[Phase.generate, Phase.shrink],  # to explain a failure takes longer than the test may
    report_multiple_bugs=False,
)
test_whatever_happens_everybody_sees_who_is_there: Any = Presences.TestCase
