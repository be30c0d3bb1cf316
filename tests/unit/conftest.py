"""Unit tests import the application itself, with the settings of tests/conftest.py. The other suites start it."""

import django
import pytest

django.setup()

from realtime import failures  # noqa: E402


@pytest.fixture(autouse=True)
def nothing_was_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test is the first to report its failures."""
    monkeypatch.setattr(failures, "_quiet_until", {})
