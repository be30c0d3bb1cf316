"""What presence costs: nothing for quiet rooms, and for a crowd as much as it has people."""

import json
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from realtime.presence import Presence
from unit.realtime.presence_world import World


def entries(thing: Any, seen: set[int] | None = None) -> int:
    """How many entries all dicts have that the thing leads to, people themselves left out."""
    seen = set() if seen is None else seen
    if id(thing) in seen:
        return 0
    seen.add(id(thing))
    if isinstance(thing, dict):
        return 0 if "guest" in thing else len(thing) + sum(entries(each, seen) for each in thing.values())
    if isinstance(thing, tuple):
        return sum(entries(each, seen) for each in thing)
    if not type(thing).__module__.startswith("realtime.presence"):
        return 0
    names = [*getattr(thing, "__slots__", ()), *getattr(thing, "__dict__", ())]
    return sum(entries(getattr(thing, name), seen) for name in names)


def calls(work: Callable[[], object]) -> int:
    """How many Python functions it calls."""
    count = 0

    def profile(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def crowd(people: int) -> World:
    world = World("red", "blue", "green", "grey")
    world.run(1)
    colours = list(world.processes)
    for number in range(people):
        world.enter(f"guest {number}", on=colours[number % 4])
    world.run(3)
    return world


def test_a_crowd_takes_as_many_entries_as_it_has_people() -> None:
    small, large = (entries(crowd(people).processes["red"].presence) for people in (500, 2000))
    assert 2000 <= large < 5 * 2000
    assert large < 4.2 * small


def test_a_crowd_that_comes_at_once_is_told_in_portions() -> None:
    world = crowd(2000)
    deltas = [event for _, _, _, event in world.sent if event["presence"] == "delta"]
    assert sum(len(event["joined"]) for event in deltas) == 2000
    assert len(deltas) == 20
    assert {len(process.sees("lobby")) for process in world.processes.values()} == {2000}


def quiet_rooms(rooms: int) -> World:
    world = World("red", "blue")
    world.run(1)
    for number in range(rooms):
        world.enter(f"guest {number}", f"room {number}", on="red")
    world.run(30)
    return world


def test_quiet_rooms_send_nothing_but_leases_of_bounded_size() -> None:
    world = quiet_rooms(3000)
    world.sent.clear()
    world.run(60)
    assert {event["presence"] for _, _, _, event in world.sent} == {"lease"}
    assert len(world.sent) <= 2 * 7
    assert max(len(json.dumps(event)) for _, _, _, event in world.sent) < 16_384


def test_a_tick_does_as_little_with_many_quiet_rooms_as_with_few() -> None:
    few, many = (quiet_rooms(rooms).processes["red"].presence for rooms in (3, 3000))
    few.tick(), many.tick()  # a lease may be due
    assert calls(many.tick) == calls(few.tick) < 40


def test_a_process_keeps_nothing_of_rooms_in_which_it_has_nobody() -> None:
    assert entries(quiet_rooms(3000).processes["blue"].presence) < 100


def test_nothing_is_left_of_those_who_have_left() -> None:
    world = World("red", "blue")
    world.run(1)
    everybody = [world.enter(f"guest {n}", f"room {n % 700}", on=("red", "blue")[n % 2]) for n in range(2000)]
    world.run(15)
    for socket in everybody:
        socket.leave()
    world.run(15)
    for process in world.processes.values():
        assert entries(process.presence) < 600, "a journal of bounded length"


def test_entering_a_crowd_costs_no_more_than_entering_an_empty_room() -> None:
    def enter(presence: Presence, key: str) -> Callable[[], None]:
        return lambda: presence.enter("lobby", key, {"name": key, "guest": True})

    small, large = (crowd(people).processes["red"].presence for people in (8, 2000))
    assert calls(enter(large, "alice")) == calls(enter(small, "alice")) < 30


def test_a_busy_process_leases_so_often_that_nobody_needs_to_ask() -> None:
    world = World("red", "blue")
    world.enter("alice", on="red")
    world.run(1)
    world.sent.clear()
    for number in range(2000):
        world.enter(f"guest {number}", f"room {number}", on="blue")
        world.run(0.005)
    world.run(15)
    assert [event for _, sender, _, event in world.sent if sender == "red" and event["presence"] == "ask"] == []


def test_a_room_that_was_left_before_the_answer_came_is_asked_about_no_more() -> None:
    world = World("red", "blue")
    world.run(1)
    world.loses = lambda event, to: event["presence"] == "state"
    alice = world.enter("alice", on="red")
    world.run(1)
    alice.leave()
    world.run(1)
    world.sent.clear()
    world.run(30)
    assert world.count("ask") == 0


def test_alice_who_reconnects_alone_in_her_room_lets_it_be_asked_about_once() -> None:
    world = World("red", "blue")
    world.run(1)
    alice = world.enter("alice", on="red")
    world.run(2)
    world.sent.clear()
    alice.leave()
    world.run(0.1)
    world.enter("alice", on="red")
    world.run(30)
    assert world.count("ask") == 1


class Worded(list[int]):
    """Counts how often people are put into words, and remembers whom it was about."""

    def __call__(self, people: list[dict[str, Any]]) -> list[str]:
        self.append(len(people))
        return [person["name"] for person in people]


def test_a_crowd_is_put_into_words_once_for_all_who_come_to_it() -> None:
    presence, word = crowd(400).processes["red"].presence, Worded()
    for number in range(200):
        presence.enter("lobby", f"newcomer {number}", {"name": f"newcomer {number}", "guest": True})
        shown, count = presence.members("lobby", 100, word)
        assert (len(shown), count) == (100, 401 + number)
    assert word == [100]


def test_who_is_shown_to_newcomers_is_there_by_the_name_of_today() -> None:
    world, word = World("red", "blue"), Worded()
    world.run(1)
    alice, bob = world.enter("alice", on="red"), world.enter("bob", on="red")
    presence = world.processes["red"].presence
    assert presence.members("lobby", 2, word) == (["alice", "bob"], 2)
    world.enter("dora", on="red")
    assert presence.members("lobby", 2, word) == (["alice", "bob"], 3)
    assert presence.members("lobby", 3, word) == (["alice", "bob", "dora"], 3)
    alice.leave()
    world.run(3)
    assert presence.members("lobby", 3, word) == (["bob", "dora"], 2)
    presence.enter("lobby", bob.key, {"name": "bobby", "guest": True})
    assert presence.members("lobby", 3, word) == (["bobby", "dora"], 2)
    world.enter("emil", on="blue")
    world.run(2)
    assert presence.members("lobby", 3, word) == (["bobby", "dora", "emil"], 3)


def test_a_join_does_as_little_in_a_crowd_as_in_a_small_room() -> None:
    few, many = (crowd(people).processes["red"].presence for people in (120, 2000))

    def comes(presence: Presence) -> Callable[[], object]:
        def come() -> None:
            presence.enter("lobby", "newcomer", {"name": "newcomer", "guest": True})
            presence.members("lobby", 100, list)

        return come

    assert calls(comes(many)) == calls(comes(few)) < 20
