"""What the runs of one measurement gave, until all of them are there."""

from collections.abc import Iterator

from bench.result import Parameters, Result, Values

Key = tuple[str, str, tuple[tuple[str, int | float | str], ...]]


class Notes:
    """Kept in the order in which things were first noted."""

    def __init__(self) -> None:
        self._runs: dict[Key, list[Values | str]] = {}

    def add(self, scenario: str, contender: str, parameters: Parameters, values: Values | str) -> None:
        """One run's values, or the reason for which there are none."""
        self._runs.setdefault((scenario, contender, tuple(parameters.items())), []).append(values)

    def take_over(self, other: "Notes") -> None:
        for key, runs in other._runs.items():
            self._runs.setdefault(key, []).extend(runs)

    def results(self) -> Iterator[Result]:
        for (scenario, contender, parameters), runs in self._runs.items():
            yield Result.of(scenario, contender, dict(parameters), runs)
