"""`make capacity`: what it says follows from what was measured, and grows as it should."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from capacity.measured import Measured, Missing, read
from capacity.need import Asked, TooMuch, at, cores, need

ROOT = Path(__file__).parents[3]
BENCH = ROOT / "docs" / "bench"


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def cost(request: pytest.FixtureRequest) -> Measured:
    return read(BENCH, request.param)


def capacity(**variables: str) -> "subprocess.CompletedProcess[str]":
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT / 'docker'}:{ROOT / 'app'}", **variables}
    return subprocess.run([sys.executable, "-B", "-m", "capacity"], env=env, capture_output=True, text=True)


def test_it_is_read_from_the_benchmark_that_is_there(cost: Measured) -> None:
    assert 5 < cost.kb_per_socket < 30
    assert 50 < cost.base_mb < 200
    for curve in (cost.message, cost.postgres, cost.delivery):
        assert [rate for rate, _ in curve] == sorted(rate for rate, _ in curve)


def test_what_was_not_measured_is_said_with_what_measures_it(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="make bench"):
        read(tmp_path, "daphne")


def test_ten_times_the_people_need_ten_times_the_processes_and_no_more_of_each(cost: Measured) -> None:
    small, large = (need(Asked(people, people // 20, people / 200), cost) for people in (100_000, 1_000_000))
    assert (small.processes, large.processes) == (10, 100)
    assert large.memory_mb == small.memory_mb
    assert large.cores < 2 * small.cores, "each hears more of what is said elsewhere, in rooms that its people are in"


def test_more_processes_never_make_one_of_them_work_more(cost: Measured) -> None:
    asked = Asked(50_000, 1_000, 2_000)
    loads = [cores(asked, cost, processes) for processes in range(1, 40)]
    assert loads == sorted(loads, reverse=True)


def test_a_delivery_costs_what_was_measured_and_between_it_what_lies_between(cost: Measured) -> None:
    for curve in (cost.message, cost.postgres, cost.delivery):
        for rate, micros in curve:
            assert at(rate, curve) == pytest.approx(micros)
    costs = [at(10 * 1.5**step, cost.message) for step in range(20)]
    assert costs == sorted(costs, reverse=True)


@pytest.mark.parametrize(
    ("asked", "words"),
    [(Asked(1_000, 1, 50_000), "one log takes"), (Asked(1_000_000, 4, 20_000), "Each process hears up to")],
)
def test_a_wall_is_named(cost: Measured, asked: Asked, words: str) -> None:
    with pytest.raises(TooMuch, match=words):
        need(asked, cost)


def test_the_plan_says_what_to_set_for_each_engine() -> None:
    done = capacity(MEMBERS="100_000", ROOMS="5000", RATE="500")
    assert done.returncode == 0, done.stderr
    for words in ("REPLICAS=10", "With Swarm", "replicas: 10", "limit_conn sockets 125000"):
        assert words in done.stdout


@pytest.mark.parametrize("given", [{}, {"MEMBERS": "x", "ROOMS": "1", "RATE": "1"}, {"MEMBERS": "0", "ROOMS": "1"}])
def test_what_was_not_understood_is_answered_by_an_example(given: dict[str, Any]) -> None:
    done = capacity(**given)
    assert done.returncode == 2
    assert done.stderr.startswith("capacity: make capacity MEMBERS=20000")
