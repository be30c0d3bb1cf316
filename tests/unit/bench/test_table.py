"""The table says what was measured, and where it says nothing it says why."""

from pathlib import Path

import pytest

from bench import stored, table
from bench.goals import Found, Goal, fanouts
from bench.notes import Notes
from bench.result import NOT_ASKED, Parameters, Result, Values

HALL: Parameters = {"sockets": 200, "in_flight": 8}
CROWD: Parameters = {"sockets": 200, "in_flight": 64}


def noted(*runs: Values | str, contender: str = "nchan", parameters: Parameters = HALL) -> Result:
    notes = Notes()
    for run in runs:
        notes.add("fanout", contender, parameters, run)
    (result,) = notes.results()
    return result


def speed(deliveries_per_s: float) -> Values:
    return {"deliveries_per_s": deliveries_per_s}


def test_the_median_of_the_runs_is_reported_and_all_are_kept() -> None:
    result = noted(speed(300), speed(100), speed(110))
    assert result.values == {"deliveries_per_s": 110}
    assert [run["deliveries_per_s"] for run in result.runs] == [300, 100, 110]


def test_one_run_with_a_fault_refuses_them_all() -> None:
    result = noted(speed(300), "3 missing", speed(100))
    assert (result.values, result.runs) == ({}, [])
    shown = table.pivot([result, noted(speed(1_000), contender="hub")], "deliveries_per_s")
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in shown.splitlines()[2:]]
    assert cells == [["nchan", "refused: 3 missing"], ["hub", "1,000"]]
    assert "refused: 3 missing" in table.rows([result])


def test_what_was_not_asked_is_not_called_a_fault() -> None:
    shown = table.pivot([noted(f"{NOT_ASKED}11 s a round")], "deliveries_per_s")
    assert "not asked (11 s a round)" in shown
    assert "refused" not in shown


def test_each_set_of_parameters_has_a_column() -> None:
    results = [noted(speed(5)), noted(speed(123_456), parameters=CROWD), noted(speed(7), contender="hub")]
    assert table.pivot(results, "deliveries_per_s").splitlines() == [
        "|       | 200 sockets, 8 in flight | 200 sockets, 64 in flight |",
        "| ----- | -----------------------: | ------------------------: |",
        "| nchan |                        5 |                   123,000 |",
        "| hub   |                        7 |                           |",
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0"), (0.01234, "0.0123"), (4.0, "4"), (21.96, "22"), (99.94, "99.9"), (-0.0001, "-0.0001")],
)
def test_numbers_have_as_many_digits_as_mean_something(value: float, shown: str) -> None:
    assert table.number(value) == shown


@pytest.mark.parametrize(
    ("value", "limit", "at_least", "met"),
    [
        (10, 10, True, "met"),
        (9, 10, True, "missed: 0.9 of it"),
        (10, 10, False, "met"),
        (15, 10, False, "missed: 1.5 times it"),
        (None, 10, True, "not measured"),
        (10, None, True, "not measured"),
    ],
)
def test_a_goal_is_met_or_missed_by_a_factor(
    value: float | None, limit: float | None, at_least: bool, met: str
) -> None:
    assert Goal("", value, limit, at_least).met == met


def test_a_goal_beside_a_refused_peer_is_not_met_by_that() -> None:
    refused = noted("1 doubled", contender="nchan")
    ours = noted(speed(1_000_000), contender="hub, uvicorn, batch")
    goals = [goal for goal in fanouts(Found([refused, ours])) if "nchan, 8" in goal.sentence]
    assert [goal.met for goal in goals] == ["not measured"]


def test_results_come_back_from_the_disk_and_other_scenarios_stay(tmp_path: Path) -> None:
    fanout, lone = noted(speed(123_456.789)), Result("lone", "nchan", {"members": 4}, {}, [], "1 missing")
    stored.write(tmp_path, [fanout], {"date": "2026-01-01"})
    stored.write(tmp_path, [lone], {"date": "2026-01-02"})
    results, abouts = stored.read(tmp_path)
    assert results == [Result("fanout", "nchan", HALL, speed(123_460), [speed(123_460)]), lone]
    assert {name: about["date"] for name, about in abouts.items()} == {"fanout": "2026-01-01", "lone": "2026-01-02"}
