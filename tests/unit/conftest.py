"""Unit tests import the application itself, with the settings of tests/conftest.py. The other suites start it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import django
import pytest
from django.conf import settings as django_settings

django.setup()
# Whatever database they are tried on: a test is a process alone, and no thread of it waits for others.
django_settings.CHANNEL_LAYERS = {"default": django_settings.LAYERS["memory"]}

from realtime import checking, failures, tracing  # noqa: E402

if TYPE_CHECKING:
    from config.tracing.spans import Spans
    from unit.traced import Exported


@pytest.fixture(autouse=True)
def nothing_was_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test is the first to report its failures."""
    monkeypatch.setattr(failures, "_quiet_until", {})


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that count queries: however slow they are, none of the hub's own checks comes in between."""
    monkeypatch.setattr(checking, "CHECK_SECONDS", 3_600)


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> "Iterator[Exported]":
    """What a tracer of the test's own has recorded."""
    from opentelemetry.context import Context, attach, detach

    from unit.traced import Exported

    exported = Exported()
    monkeypatch.setattr(tracing, "tracer", exported.spans)
    token = attach(Context())
    yield exported
    detach(token)


@pytest.fixture
def spans(exported: "Exported") -> "Spans":
    return exported.spans


@pytest.fixture
def cheap_pages(settings: Any) -> None:
    """Without a build before them: plain static files, and passwords that cost nothing."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
