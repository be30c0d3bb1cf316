"""Unit tests import the application itself, with the settings of tests/conftest.py. The other suites start it."""

import django
import pytest

django.setup()

from realtime import checking, failures  # noqa: E402


@pytest.fixture(autouse=True)
def nothing_was_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test is the first to report its failures."""
    monkeypatch.setattr(failures, "_quiet_until", {})


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that count queries: however slow they are, none of the hub's own checks comes in between."""
    monkeypatch.setattr(checking, "CHECK_SECONDS", 3_600)
