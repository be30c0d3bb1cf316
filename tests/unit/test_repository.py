"""The repository as a stranger finds it: what lies where, and that its lists agree with the code."""

import ast
import itertools
import re
import subprocess
from pathlib import Path

import pytest

from guides.checkout import guides, section

ROOT = Path(__file__).parents[2]
LOCKS = [f"{folder}/requirements.txt" for folder in ("app", "tests", "tests/bench", "docker/certificates")]
TOP = {
    *("app", "docker", "docker-compose.yml", "heroku.yml", "nginx", "Makefile", "tests", "README.md"),
    *("app.json", "LICENSE", "docs"),
    "backups",  # which git ignores
}
READ_BY_COMPOSE = {
    *("HTTP_PORT", "HTTP_BIND", "TRUSTED_PROXIES"),
    *("DOMAIN", "TLS_CERT", "TLS_KEY", "ACME_SERVER", "HTTPS_PORT"),
}
READ_BY_OVERLAYS = {"IMAGES", "RELEASE", "ARCHIVE", "ARCHIVE_KEY", "PROXY_NETWORK"}
# What has one value in the containers, or none. In .env, docker/up.sh refuses them.
DECIDED_BY_COMPOSE = {"DYNO", "HEROKU_APP_DEFAULT_DOMAIN_NAME", "HOST", "PORT", "PROXY_HOPS"}
SET_BY_THE_LAUNCHERS = {"ROLE"}
TOO_LONG = 260  # lines of a Python file of the app: by then it has a second idea


def text(name: str) -> str:
    return (ROOT / name).read_text()


def test_nothing_else_lies_at_the_top() -> None:
    visible = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert visible - TOP == set()
    assert {"app", "nginx", "Makefile", "tests", "README.md", "LICENSE"} <= visible


def test_each_file_of_the_app_has_one_idea_that_a_newcomer_can_read_at_once() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in (ROOT / "app").rglob("*.py")}
    assert "app/realtime/hub.py" in lengths
    long = [f"{name} has {lines} lines" for name, lines in sorted(lengths.items()) if lines >= TOO_LONG]
    assert long == [], f"split {long[0]}: it has a second idea, which deserves a file with its name"


def test_the_map_of_realtime_has_each_of_its_files_once() -> None:
    drawn = ast.get_docstring(ast.parse(text("app/realtime/__init__.py"))) or ""
    named = [name for names in re.findall(r"^\S.*?  +(.+)$", drawn, re.MULTILINE) for name in names.split(", ")]
    there = [path.stem for path in (ROOT / "app" / "realtime").iterdir() if path.suffix == ".py" or path.is_dir()]
    assert "hub" in there
    assert sorted(named) == sorted(set(there) - {"__init__", "__pycache__"})


def variables_read() -> dict[str, str]:
    """Name and default of each variable that the settings ask for, as one would write them in a file."""
    readers = {"word", "whole", "switch", "choice", "key", "address", "hosts", "origins", "service", "headers", "share"}
    calls = [node for node in ast.walk(ast.parse(text("app/config/settings.py"))) if isinstance(node, ast.Call)]
    asked = [call.args for call in calls if isinstance(call.func, ast.Name) and call.func.id in readers]
    constants = [[arg.value for arg in args if isinstance(arg, ast.Constant)] for args in asked]
    return {name: written(default) for name, default, *_ in ([*args, "", ""] for args in constants) if name}


def written(default: object) -> str:
    return str(int(default)) if isinstance(default, bool) else str(default)


def test_the_example_lists_every_variable_once_with_its_default() -> None:
    listed = re.findall(r"^#([A-Z_]+)=(.*)$", text(".env.example"), re.MULTILINE)
    names = [name for name, _ in listed]
    assert sorted(names) == sorted(set(names))
    read = {name: default for name, default in variables_read().items() if name not in SET_BY_THE_LAUNCHERS}
    assert {"SECRET_KEY", "PORT", "ALLOW_GUESTS"} <= set(read)
    assert {name: default for name, default in listed if name not in READ_BY_COMPOSE | READ_BY_OVERLAYS} == read


def test_what_alice_writes_into_env_reaches_the_containers_or_is_refused() -> None:
    """A bare name hands it on, and so does `${NAME…}`; a name with a value of compose's own does not."""
    compose = text("docker-compose.yml") + text("docker/tls.yml")
    handed_on = set(re.findall(r"^ +- ([A-Z_]+)$", compose, re.MULTILINE))
    handed_on |= set(re.findall(r", ([A-Z_]+)\]$", text("docker/postgres-elsewhere.yml"), re.MULTILINE))
    chosen = set(re.findall(r"\$\{([A-Z_]+)", compose)) - {"COMPOSE_PROJECT_NAME"}
    assert {"DRAIN_SECONDS", "DATABASE_URL"} <= handed_on
    listed = set(re.findall(r"^#([A-Z_]+)=", text(".env.example"), re.MULTILINE))
    assert listed - (handed_on | chosen) == DECIDED_BY_COMPOSE | READ_BY_OVERLAYS
    assert handed_on | chosen <= listed
    own = set(re.findall(r"^ +- ([A-Z_]+?)(?:_FILE)?=", compose, re.MULTILINE))
    assert {name for name in own if not name.startswith("POSTGRES_")} <= listed
    assert chosen - set(variables_read()) == READ_BY_COMPOSE


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_everything_by_hash_and_names_no_index(lock: str) -> None:
    requirements = re.split(r"\n(?=\w)", text(lock))[1:] or pytest.fail("empty lock")
    assert [line for line in requirements if "==" not in line or "--hash=sha256:" not in line] == []
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host", text(lock))


def test_the_locks_agree() -> None:
    pinned = [versions(lock) for lock in LOCKS]
    for one, other in itertools.combinations(pinned, 2):
        both = one.keys() & other.keys()
        assert {name: (one[name], other[name]) for name in both if one[name] != other[name]} == {}


def versions(lock: str) -> dict[str, set[str]]:
    """A package may have several, each for other Pythons."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)(?:\[.*\])?==(\S+)", text(lock), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def test_the_readme_is_short_and_points_at_what_exists() -> None:
    readme = text("README.md")
    assert len(readme.splitlines()) <= 150
    linked = re.findall(r"\]\((?!https?:|#)([^)]+)\)", readme)
    named = re.findall(r"`((?:app|nginx|docker|tests|docs)/[^`*{ ]+)`", readme)
    made = section("README.md", "Your own topic in 12 lines").files
    assert [path for path in linked + named if not (ROOT / path).exists() and path not in made] == []


def test_the_tour_and_the_guides_point_at_what_exists() -> None:
    for page in ("docs/tour.md", *(f"docs/guides/{name}.md" for name in guides())):
        linked = re.findall(r"\]\((?!https?:|#)([^)]+)\)", text(page))
        assert [path for path in linked if not (ROOT / page).parent.joinpath(path).exists()] == []
    named = re.findall(r"`((?:app|nginx)/[^`*{ ]+)`", text("docs/tour.md"))
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_readme_names_only_make_targets_that_exist() -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", text("README.md"), re.MULTILINE))
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {"run", "test", "up"} <= named
    assert named <= set(re.findall(r"^([a-z]+) ", listed, re.MULTILINE))
