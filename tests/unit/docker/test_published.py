"""A release: its notes are the changelog's words, and its images are all that the stack would build."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))

CHANGELOG = """# Changelog

## [Unreleased]

- not yet

## [1.2.0] - 2026-12-01

### Added

- Rooms have doors.

## 1.1.0 - 2026-11-01

- Rooms.

## [1.0.0]

- has no day

[1.2.0]: https://example.org/compare/v1.1.0...v1.2.0
"""


class Reader(yaml.SafeLoader):
    """Compose's own tags mean: without what stands in the file before."""


Reader.add_multi_constructor("!", lambda *_: None)


def read(name: str) -> dict[str, Any]:
    return yaml.load((ROOT / name).read_text(), Reader)


def notes(version: str, changelog: str = CHANGELOG) -> subprocess.CompletedProcess[str]:
    command = [ROOT / ".github/notes.sh", version]
    return subprocess.run(command, input=changelog, capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize(
    ("version", "said"),
    [("v1.2.0", "### Added\n\n- Rooms have doors.\n"), ("v1.1.0", "- Rooms.\n")],
)
def test_the_notes_of_a_release_are_what_the_changelog_says_of_it(version: str, said: str) -> None:
    assert notes(version).stdout == said


@pytest.mark.parametrize("version", ["v1.3.0", "v1.2", "v1.0.0", "vUnreleased", "v.*"])
def test_a_tag_without_its_section_makes_no_release(version: str) -> None:
    done = notes(version)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"has no section `## [{version[1:]}] - 20" in done.stderr


def test_a_section_with_nothing_in_it_makes_no_release() -> None:
    assert notes("v1.0.0", "## [1.0.0] - 2026-12-01\n\n\n## [0.9.0] - 2026-01-01\n- x\n").returncode == 1


def builds() -> dict[str, dict[str, str]]:
    """What each service of the stack is built of: the folder, and the Dockerfile or target where they are named."""
    asked = {name: service.get("build") for name, service in read("docker-compose.yml")["services"].items()}
    return {name: build if isinstance(build, dict) else {"context": build} for name, build in asked.items() if build}


def test_published_images_stand_for_all_that_the_stack_would_build() -> None:
    services = read("docker/published.yml")["services"]
    assert {"migrate", "edge", "postgres"} <= set(builds())
    assert set(services) == {*builds(), "web", "ws"}
    assert [name for name in builds() if services[name].get("build", "its own") is not None] == []
    one_image = {services[name]["image"] for name in ("web", "ws", "migrate")}
    assert len(one_image) == 1


def test_the_workflow_publishes_each_image_from_where_compose_would_build_it() -> None:
    services = read("docker/published.yml")["services"]
    matrix = read(".github/workflows/release.yml")["jobs"]["images"]["strategy"]["matrix"]["include"]
    published = {row["name"]: row for row in matrix}
    wanted = {
        image_name(services[service]["image"]): {
            "context": build["context"],
            **({"file": build["dockerfile"]} if "dockerfile" in build else {}),
            **({"target": build["target"]} if "target" in build else {}),
        }
        for service, build in builds().items()
    }
    assert {name: {key: row[key] for key in row if key != "name"} for name, row in published.items()} == wanted


def image_name(image: str) -> str:
    (name,) = re.findall(r"/([a-z]+):\$\{RELEASE", image)
    return name


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_an_action_has_one_digest_and_the_version_that_it_stands_for(workflow: Path) -> None:
    used = re.findall(r"uses: (?!\$/)(.+)", workflow.read_text())
    assert used
    assert [each for each in used if not re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)] == []
