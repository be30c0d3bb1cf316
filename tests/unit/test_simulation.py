"""The simulated site: nobody is forgotten, and what takes longer takes longer there, too."""

import random
import re
from pathlib import Path

import pytest

from realtime.limits import CHECK_SECONDS, MAX_UNFINISHED
from simulation.scenes import DRAIN_SECONDS, goodbyes, redis_away, rollout, storm
from simulation.site import DIAL_SECONDS, FIRST_PAUSE, LONGEST_PAUSE, Costs, Site, back_off

LINE = Path(__file__).parents[2] / "app" / "topics" / "static" / "topics" / "line.js"
COSTS = Costs(0.001, 0.0002)


def test_people_dial_as_the_browsers_client_does() -> None:
    text = LINE.read_text()
    assert f"DIAL_MS = {DIAL_SECONDS * 1000:_.0f}" in text
    (cap, first) = re.findall(r"backOff = \(attempt, cap = ([\d_]+)\).*cap, (\d+) \* 2 \*\* attempt", text)[0]
    assert (int(cap) / 1000, int(first) / 1000) == (LONGEST_PAUSE, FIRST_PAUSE)
    pauses = [back_off(random.Random(seed), 3) for seed in range(200)]
    assert 0 <= min(pauses) < max(pauses) <= 4


def test_whoever_is_cut_off_comes_back_and_all_together_take_as_long_as_one_core_does() -> None:
    told = storm(2_000, 1, COSTS)
    assert 2_000 * COSTS.server < told.all_back < 2_000 * COSTS.server + FIRST_PAUSE
    assert (told.dials, told.dropped, told.given_up) == (1.0, 0, 0)
    assert storm(2_000, 2, COSTS).all_back < told.all_back


def test_more_than_a_process_lets_wait_have_to_dial_again_and_are_not_lost() -> None:
    told = storm(2 * MAX_UNFINISHED, 1, COSTS)
    assert told.dropped > 0
    assert told.dials > 1


def test_a_postgres_that_is_slower_than_the_servers_is_what_all_wait_for() -> None:
    told = storm(1_000, 4, Costs(0.0001, 0.002))
    assert told.all_back >= 1_000 * 0.002


def test_who_waits_too_long_gives_up_and_dials_again() -> None:
    site = Site(Costs(DIAL_SECONDS * 0.7, 0.0), 1, 1)
    site.run([0.0, 0.0])
    assert site.given_up > 0
    assert len(site.back) == 2


def test_goodbyes_are_spread_over_the_drain_and_returns_over_as_long_as_they_take() -> None:
    moments = goodbyes(10_000, random.Random(1))
    assert max(moments) <= 2 * DRAIN_SECONDS
    by_second = [sum(second <= moment < second + 1 for moment in moments) for second in range(20)]
    assert max(by_second) < 1_000
    one_by_one = rollout(400, 4, COSTS, steps=4)
    assert one_by_one.all_back > rollout(400, 4, COSTS).all_back + 2 * DRAIN_SECONDS


@pytest.mark.parametrize("processes", [2, 8])
def test_without_redis_words_are_heard_by_the_next_look_at_the_log(processes: int) -> None:
    heard = redis_away(50, 100, 2_000, processes, 0.0)
    assert heard.half == pytest.approx(CHECK_SECONDS / 2, rel=0.2)
    assert heard.nearly < CHECK_SECONDS
    assert redis_away(50, 100, 2_000, 2 * processes, 0.0).pages > heard.pages
