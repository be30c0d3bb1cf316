"""Who may know whom: config → phone → accounts → rooms → files → topics → realtime; in rooms doors → topics."""

import ast
import re
import sys
from pathlib import Path

import pytest

import topics

APP = Path(__file__).parents[2] / "app"
PACKAGES = ("config", "phone", "accounts", "rooms", "files", "topics", "realtime")
PAGES = {"attachments", "views", "talking", "about", "inviting", "pages", "forms", "admin", "urls"}
DOORS = PAGES | {"consumers", "routing"}


def module(file: Path) -> str:
    return ".".join(file.relative_to(APP).with_suffix("").parts).removesuffix(".__init__")


def imported(file: Path) -> set[str]:
    """Every module and name that the file imports, anywhere in it: `from a import b` counts as a and as a.b."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            found |= {str(node.module)} | {f"{node.module}.{name.name}" for name in node.names}
    return found


IMPORTS = {
    module(file): imported(file)
    for package in PACKAGES
    for file in (APP / package).rglob("*.py")
    if "migrations" not in file.parts
}


def knows(name: str, of: str) -> bool:
    return any(other == of or other.startswith(f"{of}.") for other in IMPORTS[name])


def known_by(name: str) -> set[str]:
    """The module itself and all modules of the project that its import brings along."""
    found, waiting = set(), {name}
    while waiting:
        current = waiting.pop()
        found.add(current)
        waiting |= {other for other in IMPORTS[current] if other in IMPORTS} - found
    return found


def of(package: str) -> list[str]:
    return [name for name in IMPORTS if name.partition(".")[0] == package]


@pytest.mark.parametrize(
    ("package", "stranger"), [(lower, upper) for n, upper in enumerate(PACKAGES) for lower in PACKAGES[n + 1 :]]
)
def test_no_package_knows_the_one_above_it(package: str, stranger: str) -> None:
    assert of(package)
    assert [name for name in of(package) if knows(name, stranger)] == []


def is_client(name: str) -> bool:
    return name == "topics.client" or name.startswith("topics.client.")


def test_only_the_servers_know_a_servers_library() -> None:
    """But for clients: of `websockets`, which uvicorn serves with, they take the documented client alone."""
    libraries = ("daphne", "autobahn", "twisted", "uvicorn", "websockets", "h11", "httptools", "uvloop")
    knowing = {name for name in IMPORTS for library in libraries if knows(name, library)}
    assert "realtime.servers.daphne_socket" in knowing
    clients = [name for name in knowing if is_client(name) or name.startswith("topics.doctor.")]
    assert [name for name in knowing if not name.startswith("realtime.servers.") and name not in clients] == []
    taken = {other for name in clients for other in IMPORTS[name] if other.startswith("websockets")}
    public = ("websockets.asyncio.client", "websockets.sync.client", "websockets.exceptions", "websockets.typing")
    assert "websockets.asyncio.client" in taken
    assert [name for name in taken if not name.startswith(public)] == []


def test_the_client_knows_nothing_but_the_wire() -> None:
    """Neither Django nor the rest of the project, of which tests alone know the client."""
    client = [name for name in IMPORTS if is_client(name)]
    ours = {other for name in client for other in IMPORTS[name] if other.partition(".")[0] in PACKAGES}
    assert [other for other in ours if not is_client(other)] == []
    assert [name for name in client if knows(name, "django")] == []
    knowing = [name for name in IMPORTS if knows(name, "topics.client") and not is_client(name)]
    assert [name for name in knowing if not name.startswith("topics.testing")] == []


def test_the_hub_works_without_a_database() -> None:
    brought_along = known_by("realtime.hub")
    assert "realtime.feed" in brought_along
    assert [name for name in brought_along if knows(name, "django.db")] == []


def test_the_protocol_is_pure() -> None:
    impure = ("django", "channels", "asyncio", "rooms.models", "rooms.topics")
    assert [other for other in impure if knows("rooms.frames", other)] == []


@pytest.mark.parametrize(
    ("package", "theirs", "some"),
    [
        ("files", {"files"}, {"topics.Person"}),
        ("rooms", {"rooms", "files"}, {"topics.Topic", "topics.sockets"}),
        ("accounts", {"accounts", "rooms"}, {"topics.person_of", "topics.people"}),
        ("phone", {"phone", "accounts", "rooms"}, {"topics.Person", "topics.people"}),
    ],
)
def test_apps_are_built_on_what_topics_declare_public(package: str, theirs: set[str], some: set[str]) -> None:
    public = {f"topics.{name}" for name in [*topics.__all__, *topics.MODULES]}
    used = {other for name in of(package) for other in IMPORTS[name] if other.partition(".")[0] in PACKAGES}
    used -= {other for other in used if other == "topics" or other.partition(".")[0] in theirs}
    assert some < used
    assert {other for other in used if ".".join(other.split(".")[:2]) not in public} == set()


def test_what_topics_declare_public_is_documented() -> None:
    documented = (APP.parent / "docs" / "topics.md").read_text()
    assert [name for name in topics.__all__ if f"`{name}" not in documented] == []
    assert [name for name in topics.MODULES if f"`topics.{name}`" not in documented] == []


def test_nothing_below_the_doors_knows_a_door() -> None:
    below = [name for name in of("rooms") if name.rpartition(".")[2] not in DOORS]
    assert "rooms.models" in below
    assert {(name, door) for name in below for door in DOORS if knows(name, f"rooms.{door}")} == set()


def test_sockets_and_pages_do_not_know_each_other() -> None:
    assert [page for page in PAGES if knows("rooms.consumers", f"rooms.{page}")] == []
    assert not any(knows(f"rooms.{page}", "rooms.consumers") for page in PAGES)


def test_the_packages_that_a_project_must_have_are_told_whole() -> None:
    text = (APP.parent / "docs" / "into-your-project.md").read_text()
    [told] = re.findall(r"grep -iE '\^\((.*)\)\\b'", text)
    chosen = "realtime.postgres"  # by who has Postgres, psycopg, and no Redis
    modules = {other for some in ("topics", "realtime") for name in {*of(some)} - {chosen} for other in IMPORTS[name]}
    roots = {other.partition(".")[0] for other in modules}
    needed = {root.replace("_", "-") for root in roots - set(sys.stdlib_module_names) - set(PACKAGES)}
    assert needed - set(told.split("|")) == {"asgiref", "django", "pydantic-core"}  # which Django and pydantic bring
