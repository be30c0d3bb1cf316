"""Who is here, when the layer loses, doubles, delays and reorders, and when processes die."""

from collections.abc import Callable
from typing import Any

import pytest

from unit.realtime.presence_world import Process, Socket, World

A_DEATH = 30.0  # within which a killed process's people are gone
A_LEASE = 11.0  # within which a loss is noticed and mended

Loses = Callable[[dict[str, Any], Process], bool]


@pytest.fixture
def world() -> World:
    world = World("red", "blue", "green")
    world.run(1)
    return world


@pytest.fixture
def alice(world: World) -> Socket:
    return world.enter("alice", on="red")


@pytest.fixture
def bob(world: World, alice: Socket) -> Socket:
    bob = world.enter("bob", on="blue")
    world.run(3)
    assert alice.sees == bob.sees == {"alice", "bob"}
    return bob


def losing(*names: str) -> Loses:
    return lambda event, to: event["presence"] in names


def nothing(event: dict[str, Any], to: Process) -> bool:
    return False


def everything(event: dict[str, Any], to: Process) -> bool:
    return True


# --- The layer ---------------------------------------------------------------------------------------


def test_a_lost_join_is_mended_by_the_next_lease(world: World, alice: Socket, bob: Socket) -> None:
    world.loses = losing("delta")
    dora = world.enter("dora", on="green")
    world.run(2)
    assert "dora" not in alice.sees | bob.sees
    world.run(A_LEASE)
    assert alice.sees == bob.sees == dora.sees == {"alice", "bob", "dora"}


def test_a_lost_leave_is_mended_by_the_next_lease(world: World, alice: Socket, bob: Socket) -> None:
    world.loses = losing("delta")
    bob.leave()
    world.run(2)
    assert "bob" in alice.sees
    world.run(A_LEASE)
    assert alice.sees == {"alice"}


@pytest.mark.parametrize("others", [[], ["ella"]])
def test_a_loss_is_noticed_by_the_next_change_of_the_room(
    world: World, alice: Socket, bob: Socket, others: list[str]
) -> None:
    """Both where the room was empty in between and where it was not."""
    for name in others:
        world.enter(name, on="blue")
    world.run(2)
    world.loses = losing("delta", "lease")
    bob.leave()
    world.run(1)
    world.loses = losing("lease")
    world.enter("dora", on="blue")
    world.run(2)
    assert alice.sees == {"alice", "dora", *others}


@pytest.mark.parametrize("name", ["ask", "state"])
def test_a_lost_question_or_answer_is_asked_again(world: World, alice: Socket, name: str) -> None:
    world.run(60)
    world.loses = losing(name)
    bob = world.enter("bob", on="blue")
    world.run(3)
    assert bob.sees == {"bob"}
    world.loses = nothing
    world.run(3)
    assert bob.sees == {"alice", "bob"}


def test_a_lost_part_of_a_crowd_is_asked_again(world: World) -> None:
    for number in range(250):
        world.enter(f"guest {number}", on="red")
    world.run(60)
    parts: list[Process] = []

    def second_part(event: dict[str, Any], to: Process) -> bool:
        if (event["presence"], event["process"], to.name) == ("state", "red", "blue"):
            parts.append(to)
            return len(parts) == 2
        return False

    world.loses = second_part
    bob = world.enter("bob", on="blue")
    world.run(1.5)
    assert len(parts) == 3
    assert bob.count == 1
    world.run(3)
    assert bob.count == 251


def test_doubled_and_late_events_change_nothing(world: World, alice: Socket, bob: Socket) -> None:
    world.delays = lambda event, to: [0.002, 0.3, 4.0, 15.0]
    bob.leave()
    world.run(0.8)
    dora = world.enter("dora", on="blue")
    world.run(1)
    dora.leave()
    world.run(2)
    alice.frames.clear()
    world.run(40)
    assert alice.sees == {"alice"}
    assert alice.frames == []


def test_a_late_answer_brings_nobody_back(world: World) -> None:
    bob = world.enter("bob", on="blue")
    world.run(12)
    world.delays = lambda event, to: [0.002, 4.0] if event["presence"] == "state" else [0.002]
    alice = world.enter("alice", on="red")
    world.run(2)
    assert alice.sees == {"alice", "bob"}
    bob.leave()
    world.run(5)
    assert alice.sees == {"alice"}
    assert [frame.joined for frame in alice.frames] == [{"bob"}, set()]


def test_events_in_the_wrong_order_end_in_the_right_state(world: World, alice: Socket, bob: Socket) -> None:
    delays = iter([3.0, 0.002] * 1000)
    world.delays = lambda event, to: [next(delays)]
    for number in range(10):
        world.enter(f"guest {number}", on="blue")
        world.run(0.3)
    bob.leave()
    world.run(20)
    assert alice.sees == {"alice", *(f"guest {number}" for number in range(10))}


def test_a_layer_that_is_away_for_a_minute_makes_nobody_leave(world: World, alice: Socket, bob: Socket) -> None:
    alice.frames.clear(), bob.frames.clear()
    world.loses = everything
    world.run(60)
    assert alice.sees == {"alice", "bob"}
    world.loses = nothing
    world.run(30)
    assert alice.frames == bob.frames == []


def test_what_happened_while_the_layer_was_away_is_known_soon_after(world: World, alice: Socket, bob: Socket) -> None:
    world.loses = everything
    world.run(30)
    bob.leave()
    dora = world.enter("dora", on="green")
    world.run(30)
    assert alice.sees == {"alice", "bob"}
    world.loses = nothing
    world.run(3)
    assert alice.sees == dora.sees == {"alice", "dora"}


def test_a_process_that_dies_while_the_layer_is_away_is_gone_soon_after(
    world: World, alice: Socket, bob: Socket
) -> None:
    world.loses = everything
    world.run(20)
    world.kill("blue")
    world.run(40)
    world.loses = nothing
    world.run(A_DEATH)
    assert alice.sees == {"alice"}


def test_a_process_that_alone_hears_nothing_catches_up(world: World, alice: Socket, bob: Socket) -> None:
    world.loses = lambda event, to: to.name == "red"
    dora = world.enter("dora", on="blue")
    bob.leave()
    world.run(60)
    assert alice.sees == {"alice", "bob"}, "her process cannot know better"
    assert dora.sees == {"alice", "dora"}
    world.loses = nothing
    world.run(3)
    assert alice.sees == {"alice", "dora"}


def test_changes_in_more_rooms_than_a_lease_lists_are_not_lost(world: World, alice: Socket, bob: Socket) -> None:
    world.loses = lambda event, to: to.name == "red"
    bob.leave()
    world.run(2)
    for number in range(600):
        world.enter(f"guest {number}", f"room {number}", on="blue")
        world.run(0.001)
    world.run(5)
    world.loses = nothing
    world.run(A_LEASE)
    assert alice.sees == {"alice"}


def test_a_newer_versions_events_are_left_alone(world: World, alice: Socket) -> None:
    world.processes["red"].presence.receive({"presence": "hologram", "process": "violet", "depth": 3})
    world.run(3)
    assert alice.sees == {"alice"}


# --- Processes ---------------------------------------------------------------------------------------


def test_a_killed_processs_people_are_gone_within_thirty_seconds(world: World, alice: Socket, bob: Socket) -> None:
    world.kill("blue")
    world.run(15)
    assert alice.sees == {"alice", "bob"}
    world.run(A_DEATH - 15)
    assert alice.sees == {"alice"}
    assert alice.count == 1


def test_ghosts_go_even_where_the_layer_does_not_bring_ones_own_events_back(world: World) -> None:
    world.loses = lambda event, to: event["process"] == to.name
    for name in ("orange", "violet"):
        world.start(name)
    alice = world.enter("alice", on="orange")
    world.enter("bob", on="violet")
    world.run(3)
    assert alice.sees == {"alice", "bob"}
    world.kill("violet")
    world.run(A_DEATH)
    assert alice.sees == {"alice"}


def test_bob_who_returns_elsewhere_after_his_process_died_has_never_left(
    world: World, alice: Socket, bob: Socket
) -> None:
    alice.frames.clear()
    world.kill("blue")
    world.run(5)
    world.start("blue again")
    world.enter("bob", on="blue again")
    world.run(60)
    assert alice.frames == []
    assert alice.sees == {"alice", "bob"}


def test_a_process_that_says_goodbye_takes_its_people_with_it_at_once(world: World, alice: Socket, bob: Socket) -> None:
    world.stop("blue")
    world.run(1)
    assert alice.sees == {"alice"}


def test_what_a_goodbye_has_overtaken_brings_nobody_back(world: World, alice: Socket, bob: Socket) -> None:
    carol = world.enter("carol", "garden", on="red")
    world.run(2)
    world.delays = lambda event, to: [0.002] if event["presence"] == "goodbye" else [2.0]
    world.enter("dora", "garden", on="blue")
    world.run(0.5)
    world.stop("blue")
    world.run(1)
    alice.frames.clear()
    world.sent.clear()
    world.run(30)
    assert alice.sees == {"alice"}
    assert alice.frames == carol.frames == []
    assert world.count("ask") == 0


def test_after_its_goodbye_a_process_is_silent(world: World, bob: Socket) -> None:
    blue = world.processes["blue"]
    blue.presence.goodbye()
    before = len(world.sent)
    bob.leave()
    world.run(15)
    assert "blue" not in {sender for _, sender, _, _ in world.sent[before:]}


def test_a_process_that_was_stopped_for_a_while_comes_back_with_its_people(
    world: World, alice: Socket, bob: Socket
) -> None:
    world.stall("blue", 40)
    world.run(35)
    assert alice.sees == {"alice"}
    world.run(10)
    assert alice.sees == bob.sees == {"alice", "bob"}


@pytest.mark.parametrize("loses", [nothing, everything])
def test_a_process_that_was_stopped_for_a_while_takes_nobody_for_dead(
    world: World, alice: Socket, bob: Socket, loses: Loses
) -> None:
    """Whether the layer has kept for it what was sent meanwhile or not."""
    bob.frames.clear()
    world.stall("blue", 40)
    world.loses = lambda event, to: to.name == "blue" and loses(event, to)
    world.run(40)
    world.loses = nothing
    world.run(20)
    assert bob.frames == []
    assert bob.sees == {"alice", "bob"}


def test_a_process_that_was_stopped_when_its_lease_was_on_the_way_takes_nobody_for_dead(
    world: World, alice: Socket, bob: Socket
) -> None:
    bob.frames.clear()
    while world.sent[-1][1] != "blue" or world.sent[-1][3]["presence"] != "lease":
        world.run(0.001)
    world.stall("blue", 40)
    world.run(60)
    assert bob.frames == []


def test_a_crowd_whose_process_died_is_gone_in_bounded_frames(world: World, alice: Socket) -> None:
    crowd = {f"guest {number}" for number in range(250)}
    for name in sorted(crowd):
        world.enter(name, on="blue")
        world.run(0.02)
    world.run(10)
    world.kill("blue")
    world.run(A_DEATH)
    assert alice.count == 1, "how many there are is exact at once"
    world.run(3)
    assert alice.sees == {"alice"}
