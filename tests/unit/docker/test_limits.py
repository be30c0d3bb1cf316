"""Each service has its bounds: memory, processes, open files, what it writes, and whom it lets go first."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
UNITS = {"k": 2**10, "m": 2**20, "g": 2**30}
BESIDE = {"backup", "prometheus", "grafana", "certificates"}  # nobody waits for these


def services_of(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(re.sub(r"!(override|reset)", "", file.read_text()))["services"]
    return found


FILES = ("docker/tls.yml", "docker/metrics.yml", "docker-compose.yml")  # the last has the last word
SERVICES = {name: service for file in FILES for name, service in services_of(ROOT / file).items()}


@pytest.fixture(params=SERVICES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def service(name: str) -> dict[str, Any]:
    return dict(SERVICES[name])


def size(text: str) -> int:
    return int(text[:-1]) * UNITS[text[-1]]


def test_no_other_file_brings_a_service_without_bounds() -> None:
    for file in sorted((ROOT / "docker").glob("*.yml")):
        assert set(services_of(file)) <= set(SERVICES), file


def test_its_memory_and_its_processes_are_bounded(service: dict[str, Any]) -> None:
    limits = service["deploy"]["resources"]["limits"]
    assert size(limits["memory"]) <= 2**30
    assert 0 < limits["pids"] <= 256


def test_its_log_is_bounded(service: dict[str, Any]) -> None:
    assert service["logging"] == {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}}


def test_its_open_files_are_bounded(service: dict[str, Any]) -> None:
    assert service["ulimits"]["nofile"] == 20_000


def test_what_it_writes_beside_its_volumes_is_bounded_by_less_than_its_memory(service: dict[str, Any]) -> None:
    assert service["read_only"]
    sizes = [re.search(r"[:,]size=(\d+[kmg])\b", place) for place in service.get("tmpfs", ())]
    assert all(sizes)
    assert sum(size(found[1]) for found in sizes if found) < size(service["deploy"]["resources"]["limits"]["memory"])


def test_whom_nobody_waits_for_gets_the_processor_last(name: str, service: dict[str, Any]) -> None:
    """Weights, since an engine refuses a number of processors that its machine has not: 1024 is everybody's."""
    assert service.get("cpu_shares", 1024) == (128 if name in BESIDE else 1024)
