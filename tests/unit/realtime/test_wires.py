"""Which of several servers has a room."""

from collections import Counter

from realtime.wires import share

PLACES = ["one:6379", "two:6379", "three:6379"]
ROOMS = [f"room/{number}" for number in range(3_000)]


def test_rooms_are_shared_out_evenly_and_whatever_the_order_of_the_servers() -> None:
    counted = Counter(share(PLACES, room) for room in ROOMS)
    assert all(850 < counted[place] < 1_150 for place in PLACES), counted
    assert [share(PLACES[::-1], room) for room in ROOMS] == [share(PLACES, room) for room in ROOMS]


def test_one_server_more_takes_a_share_and_moves_no_other_room() -> None:
    for room in ROOMS:
        assert share([*PLACES, "four:6379"], room) in {share(PLACES, room), "four:6379"}
