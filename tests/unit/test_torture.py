"""`make torture`, which no suite runs: it starts, and what a soak would complain of."""

import subprocess
import sys
from pathlib import Path

import pytest

from torture.bounds import Held, grown

BEFORE: Held = {
    "daphne-0: MB": 100.0,
    "daphne-0: open files": 25,
    "daphne-0: tasks": 7,
    "daphne-0: sockets": 0,
    "daphne-0: rooms": 0,
    "connections to Postgres": 10,
    "connections to Redis": 8,
    "redis: keys": 0,
    "rows of topics_notice": 3,
}


def test_it_can_be_started() -> None:
    root = Path(__file__).parents[2]
    env = {"PYTHONPATH": f"{root / 'tests'}:{root / 'app'}"}
    done = subprocess.run([sys.executable, "-m", "torture", "--help"], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--soak" in done.stdout


def test_what_is_as_it_was_or_less_or_within_its_bound_is_no_word_worth() -> None:
    assert grown(BEFORE, BEFORE) == []
    assert grown(BEFORE, dict.fromkeys(BEFORE, 0)) == []
    within = {"daphne-0: MB": 119.0, "daphne-0: open files": 28, "daphne-0: tasks": 9, "connections to Postgres": 16}
    assert grown(BEFORE, BEFORE | within) == []


@pytest.mark.parametrize(
    ("name", "now"),
    [
        ("daphne-0: MB", 121.0),
        ("daphne-0: open files", 30),
        ("daphne-0: tasks", 12),
        ("daphne-0: sockets", 1),
        ("daphne-0: rooms", 1),
        ("connections to Postgres", 19),
        ("connections to Redis", 11),
        ("redis: keys", 1),
        ("rows of topics_notice", 4),
        ("rows of a_new_table", 1),
    ],
)
def test_what_is_more_than_its_bound_is_named_with_what_it_was_and_is(name: str, now: float) -> None:
    (sentence,) = grown(BEFORE, BEFORE | {name: now})
    assert sentence.startswith(f"{name} were {BEFORE.get(name, 0):g} and are {now:g}: more than ")
