"""Which settings realtime and topics read, and what holds where a project has none of them."""

import ast
import subprocess
import sys
from typing import Any

import pytest
from django.conf import global_settings, settings
from django.test import override_settings

import realtime.conf
import topics.conf
from unit.test_imports import APP

PACKAGES = {"realtime": realtime.conf.Settings, "topics": topics.conf.Settings}
BARE = """
import asyncio, importlib, pkgutil
import django
from django.conf import settings

settings.configure(
    SECRET_KEY="x" * 50,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "topics"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()
import realtime, topics

for package in (realtime, topics):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if ".servers" not in module.name and module.name not in ("realtime.check", "topics.admin"):
            importlib.import_module(module.name)

from django.core.management import call_command

call_command("check")
call_command("migrate", verbosity=0)
"""


def read_by(package: str) -> set[str]:
    """Every NAME that the package's files read as settings.NAME."""
    trees = [ast.parse(file.read_text()) for file in (APP / package).rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    return {node.attr for node in nodes if isinstance(node.value, ast.Name) and node.value.id == "settings"}


@pytest.mark.parametrize("package", PACKAGES)
def test_whatever_is_read_has_a_default(package: str) -> None:
    known = set(dir(PACKAGES[package])) | set(dir(global_settings))
    assert "MESSAGE_RATE" in read_by("realtime") | read_by("topics")
    assert read_by(package) - known == set()


def test_a_project_that_says_nothing_can_be_checked_and_migrated() -> None:
    done = subprocess.run([sys.executable, "-c", BARE], cwd=APP, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_the_project_says_counts() -> None:
    with override_settings(MESSAGE_RATE=7, MESSAGE_BURST=3):
        assert topics.conf.settings.MESSAGE_RATE == 7
        assert topics.conf.settings.MESSAGE_BURST == 3
    with override_settings(MESSAGE_RATE=7):
        del settings.FRAME_RATE, settings.MESSAGE_BURST
        assert topics.conf.settings.MESSAGE_BURST == 14
        assert realtime.conf.settings.FRAME_RATE == 28


def test_a_name_that_nobody_knows_is_no_setting() -> None:
    with pytest.raises(AttributeError, match="MAX_SOCKET"):
        _ = realtime.conf.settings.MAX_SOCKET


@pytest.mark.parametrize("kind", PACKAGES.values(), ids=PACKAGES)
def test_this_project_says_the_same_where_its_environment_says_nothing(kind: Any, read: Any) -> None:
    least = read()
    own = {"ASGI_APPLICATION", "CHANNEL_LAYERS", "DATABASE_SESSION"}  # the last two follow from the services' addresses
    names = {name for name in dir(kind) if name.isupper()} - own
    bare = kind()
    assert {name: getattr(least, name) for name in names} == {
        name: object.__getattribute__(bare, name) for name in names
    }
