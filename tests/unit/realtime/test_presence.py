"""Who is here: alice and bob come and go on several processes; carol is somewhere else."""

from itertools import pairwise

import pytest

from unit.realtime.presence_world import World

A_LEAVE = 1.0  # within which others see it


@pytest.fixture
def world() -> World:
    world = World("red", "blue")
    world.run(1)
    return world


def test_alice_finds_herself_in_her_welcome(world: World) -> None:
    alice = world.enter("alice", on="red")
    assert alice.sees == {"alice"}
    assert alice.count == 1


def test_who_comes_is_told_who_is_there_and_those_are_told_who_came(world: World) -> None:
    alice = world.enter("alice", on="red")
    world.run(1)
    bob = world.enter("bob", on="red")
    world.run(1)
    dora = world.enter("dora", on="blue")
    world.run(1)
    for socket in (alice, bob, dora):
        assert socket.sees == {"alice", "bob", "dora"}
        assert socket.count == 3


def test_nobody_is_told_about_herself(world: World) -> None:
    alice, bob = world.enter("alice", on="red"), world.enter("bob", on="blue")
    world.run(2)
    bob.leave()
    world.run(2)
    assert alice.frames
    assert all("alice" not in frame.joined | frame.left for frame in alice.frames)


def test_carol_in_another_room_hears_nothing(world: World) -> None:
    carol = world.enter("carol", "garden", on="blue")
    alice = world.enter("alice", on="red")
    world.run(1)
    alice.leave()
    world.run(3)
    assert carol.frames == []
    assert world.processes["blue"].presence.members("garden", 100, list) == ([carol.person], 1)


@pytest.mark.parametrize("elsewhere", ["red", "blue"])
def test_a_leave_is_seen_within_a_second(world: World, elsewhere: str) -> None:
    alice, bob = world.enter("alice", on="red"), world.enter("bob", on=elsewhere)
    world.run(3)
    bob.leave()
    world.run(A_LEAVE)
    assert alice.sees == {"alice"}
    assert alice.count == 1


def test_a_leave_is_seen_within_a_second_by_a_clockwork_that_only_ticks(world: World) -> None:
    world.processes["red"].tick_at = world.now + 0.04
    world.processes["blue"].tick_at = world.now + 0.05
    alice, bob = world.enter("alice", on="red"), world.enter("bob", on="blue")
    world.run(3.11)  # so that its grace ends just after a tick there, and is told just after a tick here
    bob.leave()
    world.run(A_LEAVE)
    assert alice.sees == {"alice"}


def test_bob_who_leaves_as_soon_as_alice_has_seen_him_is_seen_to_leave_within_a_second(world: World) -> None:
    alice = world.enter("alice", on="red")
    world.run(3.1)
    bob = world.enter("bob", on="blue")
    while "bob" not in alice.sees:
        world.run(0.001)
    bob.leave()
    world.run(A_LEAVE)
    assert alice.sees == {"alice"}


@pytest.mark.parametrize("elsewhere", ["red", "blue"])
def test_a_reconnect_makes_no_noise(world: World, elsewhere: str) -> None:
    alice, bob = world.enter("alice", on="red"), world.enter("bob", on="red")
    world.run(3)
    alice.frames.clear()
    bob.leave()
    world.run(0.4)
    world.enter("bob", on=elsewhere)
    world.run(30)
    assert alice.frames == []
    assert alice.sees == {"alice", "bob"}


def test_two_tabs_are_one_person(world: World) -> None:
    alice = world.enter("alice", on="red")
    first, second = world.enter("bob", on="red"), world.enter("bob", on="red")
    world.run(2)
    first.leave()
    world.run(20)
    assert [frame.joined for frame in alice.frames] == [{"bob"}]
    assert alice.count == 2
    second.leave()
    world.run(2)
    assert alice.sees == {"alice"}


def test_two_tabs_in_two_processes_are_one_person(world: World) -> None:
    alice = world.enter("alice", on="red")
    first, second = world.enter("bob", on="red"), world.enter("bob", on="blue")
    world.run(2)
    first.leave()
    world.run(20)
    assert [(frame.joined, frame.left) for frame in alice.frames] == [({"bob"}, set())]
    second.leave()
    world.run(2)
    assert [frame.left for frame in alice.frames] == [set(), {"bob"}]
    assert alice.count == 1


def test_a_guest_with_a_new_name_has_left_and_joined(world: World) -> None:
    alice, bob = world.enter("alice", on="red"), world.enter("bob", on="blue")
    world.run(3)
    bob.leave()
    world.enter("robert", on="blue", key=bob.key)
    world.run(2)
    assert (alice.frames[-1].joined, alice.frames[-1].left) == ({"robert"}, {"bob"})
    assert alice.count == 2


def test_bob_with_two_names_in_two_processes_has_the_same_one_everywhere(world: World) -> None:
    alice, dora = world.enter("alice", on="red"), world.enter("dora", on="blue")
    world.run(2)
    world.enter("robert", on="red", key="bob")
    world.enter("bob", on="blue", key="bob")
    world.run(3)
    assert alice.sees == dora.sees
    assert alice.count == dora.count == 3


def test_many_who_come_at_once_are_one_frame_a_second(world: World) -> None:
    alice = world.enter("alice", on="red")
    world.run(3)
    for number in range(50):
        world.enter(f"guest {number}", on="red" if number % 2 else "blue")
        world.run(0.1)
    world.run(2)
    assert alice.count == 51
    assert len(alice.sees) == 51
    assert len(alice.frames) <= 7
    assert min(later.at - earlier.at for earlier, later in pairwise(alice.frames)) > 0.94


def test_a_room_that_is_new_to_a_process_fills_from_the_others(world: World) -> None:
    """The first socket of a room asks: nothing changes there, so nobody would speak by themselves."""
    for name in ("alice", "bob"):
        world.enter(name, on="red")
    world.run(60)
    dora = world.enter("dora", on="blue")
    assert dora.sees == {"dora"}
    world.run(1)
    assert dora.sees == {"alice", "bob", "dora"}


def test_a_process_that_has_forgotten_a_room_asks_again(world: World) -> None:
    alice = world.enter("alice", on="red")
    dora = world.enter("dora", on="blue")
    world.run(2)
    dora.leave()
    world.run(2)
    alice.leave()
    world.enter("bob", on="red")
    world.run(2)
    dora = world.enter("dora", on="blue")
    world.run(1)
    assert dora.sees == {"bob", "dora"}


def test_alice_who_is_in_her_grace_is_seen_by_who_comes_meanwhile(world: World) -> None:
    world.enter("alice", on="red").leave()
    bob = world.enter("bob", on="red")
    assert bob.sees == {"alice", "bob"}
    world.run(1)
    assert bob.sees == {"bob"}


def test_dora_who_was_shown_alice_between_two_frames_is_told_that_she_left(world: World) -> None:
    bob = world.enter("bob", on="red")
    world.run(3)
    world.enter("alice", on="red").leave()
    dora = world.enter("dora", on="red")
    assert dora.sees == {"alice", "bob", "dora"}
    world.processes["red"].tick_at += 2
    world.run(4)
    assert bob.sees == dora.sees == {"bob", "dora"}


def test_a_leave_without_an_enter_is_an_error(world: World) -> None:
    with pytest.raises(KeyError):
        world.processes["red"].presence.leave("lobby", "key of nobody")


def test_a_process_that_starts_gets_to_know_the_others_at_once(world: World) -> None:
    alice = world.enter("alice", on="red")
    world.run(5)
    world.start("green")
    bob = world.enter("bob", on="green")
    world.run(1.5)
    assert alice.sees == bob.sees == {"alice", "bob"}


def test_a_process_alone_without_any_layer(world: World) -> None:
    world.loses = lambda event, to: True
    alice, bob = world.enter("alice", on="red"), world.enter("bob", on="red")
    world.run(100)
    assert alice.sees == {"alice", "bob"}
    bob.leave()
    world.run(A_LEAVE)
    assert alice.sees == {"alice"}
