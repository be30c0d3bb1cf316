"""What of the libraries' insides the servers use is listed, is there, and is used: a new version shows what it broke.

A class of ours that derives from a library's has its names beside those of the library. Each that both have is either
listed or an accident.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from twisted.internet.interfaces import IConsumer, IPushProducer, ITCPTransport

from realtime.servers import insides

ROOT = Path(__file__).parents[4]
SERVERS = ROOT / "app" / "realtime" / "servers"
FILES = [file for file in sorted(SERVERS.glob("*.py")) if file.stem not in {"__init__", "insides"}]
LIBRARIES = {"daphne", "autobahn", "twisted", "uvicorn", "websockets", "h11"}
LISTED = {owner: {name for names in why for name in names.split()} for owner, why in insides.INSIDES.items()}
HOLDERS = {  # attributes that lead to an object of a library
    "config": "uvicorn.config.Config",
    "cycle": "uvicorn.protocols.http.h11_impl.RequestResponseCycle",
    "flow": "uvicorn.protocols.http.flow_control.FlowControl",
    "server_state": "uvicorn.server.ServerState",
    "channel": "twisted.web.http.HTTPChannel",
}
DOCUMENTED = {name for interface in (ITCPTransport, IPushProducer, IConsumer) for name in interface.names(all=True)}


def found(dotted: str) -> Any:
    """The class, or the module."""
    try:
        return import_module(dotted)
    except ModuleNotFoundError:
        module, _, name = dotted.rpartition(".")
        return getattr(import_module(module), name)


@cache
def names_of(cls: type) -> set[str]:
    """Of the class itself: what it defines, and what its methods set on `self`."""
    stored = {node.attr for node in of_self(cls) if isinstance(node.ctx, ast.Store)}
    return set(vars(cls)) | set(inspect.get_annotations(cls)) | stored


def of_self(cls: type) -> list[ast.Attribute]:
    """The attributes of `self` in the class's own methods."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError):  # compiled
        return []
    return [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and is_self(node.value)]


def is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def has(owner: Any, name: str) -> bool:
    """Also what somebody else sets, where the class looks at it."""
    if isinstance(owner, ModuleType):
        return hasattr(owner, name)
    return any(name in names_of(each) | {node.attr for node in of_self(each)} for each in owner.__mro__)


def is_theirs(cls: type) -> bool:
    return cls.__module__.partition(".")[0] in LIBRARIES


def our_classes() -> list[type]:
    modules = [import_module(f"realtime.servers.{file.stem}") for file in FILES]
    own = [cls for module in modules for cls in vars(module).values() if inspect.isclass(cls)]
    return list(dict.fromkeys(cls for cls in own if not is_theirs(cls) and any(map(is_theirs, cls.__mro__))))


def ours(cls: type) -> set[str]:
    """Every name that the class and those of the project that it derives from define, set or use on `self`."""
    own = [each for each in cls.__mro__ if each.__module__.startswith("realtime.")]
    used = {node.attr for each in own for node in of_self(each)}
    return {name for each in own for name in names_of(each)} | used


def defined_here() -> set[str]:
    """Names that any class of the servers' own has."""
    modules = [import_module(f"realtime.servers.{file.stem}") for file in FILES]
    classes = [cls for module in modules for cls in vars(module).values() if inspect.isclass(cls)]
    return {name for cls in classes if not is_theirs(cls) for name in names_of(cls)}


def mentioned() -> set[str]:
    """Attributes, definitions and words of the servers' files."""
    trees = [node for file in FILES for node in ast.walk(ast.parse(file.read_text()))]
    return (
        {node.attr for node in trees if isinstance(node, ast.Attribute)}
        | {node.name for node in trees if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        | {node.id for node in trees if isinstance(node, ast.Name)}
        | {node.value for node in trees if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        | {name.name for node in trees if isinstance(node, ast.ImportFrom) for name in node.names}
    )


def reaching() -> Iterator[tuple[str, ast.Attribute]]:
    """Attributes of anything but `self`, by file."""
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and not is_self(node.value):
                yield file.stem, node


def dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


@pytest.mark.parametrize("owner", LISTED)
def test_the_installed_library_has_what_is_listed(owner: str) -> None:
    assert [name for name in LISTED[owner] if not has(found(owner), name)] == []


def test_there_are_classes_to_look_at() -> None:
    names = {f"{cls.__module__.rpartition('.')[2]}.{cls.__name__}" for cls in our_classes()}
    assert {"daphne_socket.Socket", "daphne_http.Channel", "uvicorn_socket.Socket", "uvicorn_http.Http"} <= names


@pytest.mark.parametrize("cls", our_classes(), ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
def test_no_class_of_ours_has_a_name_of_its_library_that_is_not_listed(cls: type) -> None:
    bases = [each for each in cls.__mro__ if is_theirs(each)]
    listed = {name for owner, names in LISTED.items() if found(owner) in bases for name in names}
    theirs = {name: each for each in reversed(bases) for name in names_of(each)}
    shared = {name: theirs[name].__qualname__ for name in ours(cls) - listed if name in theirs and not dunder(name)}
    assert shared == {}, "list it in insides.py with its reason, or give yours another name"


@pytest.mark.parametrize("module", ["daphne_handshake", "uvicorn_handshake"])
def test_what_is_dropped_after_the_handshake_is_there_before(module: str) -> None:
    servers = import_module(f"realtime.servers.{module}")
    bases = [each for each in servers.Handshake.__mro__ if is_theirs(each)]
    listed = {name for owner, names in LISTED.items() if found(owner) in bases for name in names}
    assert [name for name in servers.OF_THE_HANDSHAKE if name not in listed | {"head"}] == []


def test_what_is_private_elsewhere_is_listed() -> None:
    own, listed = defined_here(), {name for names in LISTED.values() for name in names}
    private = {
        (file, node.attr) for file, node in reaching() if node.attr.startswith("_") and not dunder(node.attr)
    } | {(file.stem, name) for file in FILES for name in re.findall(r"import .*\b(_\w+)", file.read_text())}
    assert private
    assert [(file, name) for file, name in private if name not in listed | own] == []


def test_what_is_asked_of_a_librarys_object_is_listed() -> None:
    own = defined_here()
    unlisted = [
        (file, f"{node.value.attr}.{node.attr}")
        for file, node in reaching()
        if isinstance(node.value, ast.Attribute) and node.value.attr in HOLDERS
        if node.attr not in own | LISTED[HOLDERS[node.value.attr]]
    ]
    assert unlisted == []


def test_what_is_asked_of_twisteds_transport_is_documented_or_listed() -> None:
    asked = {
        node.attr
        for file, node in reaching()
        if file.startswith("daphne") and isinstance(node.value, ast.Attribute) and node.value.attr == "transport"
    }
    assert asked
    assert asked - DOCUMENTED - LISTED["twisted.internet.tcp.Server"] == set()


def test_nothing_is_listed_that_is_not_used() -> None:
    words = mentioned()
    assert {name for names in LISTED.values() for name in names if name not in words} == set()


def test_libraries_whose_insides_are_used_are_bounded_above() -> None:
    lines = (ROOT / "app" / "requirements.in").read_text().splitlines()
    bounded = {re.split(r"[^\w-]", line)[0].lower() for line in lines if re.search(r"~=|<", line.partition("#")[0])}
    assert {owner.partition(".")[0] for owner in LISTED} <= bounded
