"""What a scenario says: one result per contender and set of parameters."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Self

NOT_ASKED = "not asked: "  # how the reason begins where nothing went wrong

Parameters = dict[str, int | float | str]
Values = dict[str, float]


@dataclass(frozen=True)
class Result:
    """`values` are medians over `runs`. `refused` says why there is no number: then both are empty.

    Keys of values carry their unit: deliveries_per_s, cpu_us_per_delivery, p50_ms, p99_ms, kb_per_socket.
    """

    scenario: str
    contender: str
    parameters: Parameters
    values: Values
    runs: list[Values] = field(default_factory=list)
    refused: str = ""

    @classmethod
    def of(cls, scenario: str, contender: str, parameters: Parameters, runs: Iterable[Values | str]) -> Self:
        """From each run's values, or the reason for which a run is refused: one refusal refuses the whole."""
        runs = list(runs)
        reasons = [run for run in runs if isinstance(run, str)]
        if reasons or not runs:
            return cls(scenario, contender, parameters, {}, [], reasons[0] if reasons else "not run")
        counted = [run for run in runs if not isinstance(run, str)]
        medians = {name: median(run[name] for run in counted) for name in counted[0]}
        return cls(scenario, contender, parameters, medians, counted)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
