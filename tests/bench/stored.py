"""The results on disk: a file a scenario, with every run and what it was made on."""

import json
from itertools import groupby
from pathlib import Path
from typing import Any

from bench.result import Result

About = dict[str, Any]


def write(folder: Path, results: list[Result], about: About) -> None:
    """What other scenarios left in the folder stays."""
    folder.mkdir(parents=True, exist_ok=True)
    by_scenario = sorted(results, key=lambda result: result.scenario)
    for scenario, group in groupby(by_scenario, key=lambda result: result.scenario):
        content = {"about": about, "results": [rounded(result.as_json()) for result in group]}
        (folder / f"{scenario}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def read(folder: Path) -> tuple[list[Result], dict[str, About]]:
    """All results, and what each scenario's were made on."""
    contents = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    results = [Result(**result) for content in contents.values() for result in content["results"]]
    return results, {scenario: content["about"] for scenario, content in contents.items()}


def rounded(value: Any) -> Any:
    """Five digits are more than any of them is good for."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value
