"""One allowance a person: over all sockets of a process at once, over several processes within a second."""

import pytest

from realtime.limits import DEBT_SECONDS
from realtime.rates import TELL_MOST, Limits, Rates

RATE = 50
ALICE: Limits = {"alice": (RATE, 2 * RATE)}
BOB: Limits = {"bob": (RATE, 2 * RATE)}


class World:
    """Processes that hear each other unless the line is cut, and one clock."""

    def __init__(self, processes: int) -> None:
        self.now = 1_000.0
        self.cut = False
        self.told: list[dict[str, int]] = []
        self.all = [Rates(lambda: self.now, self.line(number)) for number in range(processes)]

    def line(self, number: int):  # type: ignore[no-untyped-def]
        def tell(spent: dict[str, int]) -> None:
            self.told.append(spent)
            for other, rates in enumerate(self.all):
                if other != number and not self.cut:
                    rates.spent_elsewhere(spent)

        return tell

    def wait(self, seconds: float) -> None:
        self.now += seconds
        for rates in self.all:
            rates.tick()


def flood(world: World, buckets: list[object], seconds: float) -> int:
    """How much gets through in the last half of that time, where somebody never stops."""
    through = []
    for _ in range(int(seconds / 0.05)):
        through.append(sum(bucket.take(world.now) == 0.0 for bucket in buckets for _ in range(50)))  # type: ignore[attr-defined]
        world.wait(0.05)
    return sum(through[len(through) // 2 :])


def test_all_sockets_of_one_person_share_and_another_person_has_her_own() -> None:
    world = World(1)
    sockets = [world.all[0].enter(ALICE) for _ in range(150)]
    bob = world.all[0].enter(BOB)
    assert sum(socket.take(world.now) == 0.0 for socket in sockets) == 2 * RATE
    assert [bob.take(world.now) for _ in range(2 * RATE)] == [0.0] * 2 * RATE


@pytest.mark.parametrize("processes", [1, 2, 4, 8])
def test_several_processes_together_let_through_about_as_much_as_one(processes: int) -> None:
    world = World(processes)
    through = flood(world, [rates.enter(ALICE) for rates in world.all], seconds=80)
    assert 0.7 * RATE < through / 40 < 1.3 * RATE


def test_who_keeps_to_the_limit_over_two_processes_is_never_refused() -> None:
    world = World(2)
    much, little = (rates.enter(ALICE) for rates in world.all)
    for _ in range(100):
        assert [much.take(world.now) for _ in range(4)] == [0.0] * 4  # forty a second
        assert little.take(world.now) == 0.0  # and ten
        world.wait(0.1)


def test_where_the_others_cannot_be_heard_each_process_holds_the_limit_by_itself() -> None:
    world = World(4)
    world.cut = True
    through = flood(world, [rates.enter(ALICE) for rates in world.all], seconds=40)
    assert through / 20 == pytest.approx(4 * RATE, rel=0.05)


def test_who_has_taken_too_much_elsewhere_waits_but_not_for_ever() -> None:
    world = World(2)
    here = world.all[0].enter(ALICE)
    for _ in range(10):
        world.all[0].spent_elsewhere({"alice": 1_000_000})
    assert 0 < here.take(world.now) <= DEBT_SECONDS + 0.1
    world.wait(DEBT_SECONDS + 0.1)
    assert here.take(world.now) == 0.0


def test_who_says_little_is_not_worth_telling_and_of_a_crowd_the_loudest_are() -> None:
    world = World(1)
    (rates,) = world.all
    quiet = rates.enter(ALICE)
    for _ in range(RATE // 10):
        quiet.take(world.now)
    world.wait(1)
    assert world.told == []
    for number in range(2 * TELL_MOST):
        bucket = rates.enter({f"{number}": (RATE, 2 * RATE)})
        for _ in range(10 + number // TELL_MOST):
            bucket.take(world.now)
    world.wait(1)
    assert len(world.told) == 1
    assert set(world.told[0]) == {f"{number}" for number in range(TELL_MOST, 2 * TELL_MOST)}


def test_a_new_socket_is_no_new_allowance_and_who_has_left_for_long_is_forgotten() -> None:
    world = World(1)
    (rates,) = world.all
    first = rates.enter(ALICE)
    for _ in range(2 * RATE):
        first.take(world.now)
    rates.leave(ALICE)
    world.wait(1)
    again = rates.enter(ALICE)
    assert sum(again.take(world.now) == 0.0 for _ in range(2 * RATE)) == RATE
    rates.leave(ALICE)
    for _ in range(4):
        world.wait(1)
    assert rates._accounts == {}


def test_one_that_is_refused_for_the_address_takes_nothing_from_the_person() -> None:
    world = World(1)
    (rates,) = world.all
    both = rates.enter({"alice": (RATE, 10), "address": (1, 2)})
    assert [both.take(world.now) > 0 for _ in range(20)] == [False] * 2 + [True] * 18
    alone = rates.enter({"alice": (RATE, 10)})
    assert sum(alone.take(world.now) == 0.0 for _ in range(20)) == 8


def test_who_has_no_socket_has_one_allowance_as_well() -> None:
    world = World(1)
    (rates,) = world.all
    assert [rates.take_once(ALICE) > 0 for _ in range(2 * RATE + 5)] == [False] * 2 * RATE + [True] * 5
    assert rates.take_once(BOB) == 0.0
