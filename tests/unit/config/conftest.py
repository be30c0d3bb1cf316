"""Settings as the environment of a test makes them."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import environ
import pytest

FILE = Path(__file__).parents[3] / "app" / "config" / "settings.py"
POSTGRES = "postgres://rooms:secret@db:5432/rooms"
KEY = "alices-own-key-of-fifty-random-characters-or-more-4711"
Read = Callable[..., ModuleType]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Read:
    """The settings as a process with exactly these variables reads them."""

    def settings(**variables: str | None) -> ModuleType:
        given = {"SECRET_KEY": KEY, "DATABASE_URL": POSTGRES} | variables
        mapping = environ.fileaware_mapping.FileAwareMapping(
            {name: text for name, text in given.items() if text is not None}
        )
        monkeypatch.setattr(environ.FileAwareEnv, "ENVIRON", mapping)
        spec = importlib.util.spec_from_file_location("settings_of_a_test", FILE)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return settings
