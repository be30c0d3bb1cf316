"""Files are taken, and kept in memory."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.storage import default_storage

from files import keeping


@pytest.fixture(autouse=True)
def kept(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.FILES_MAX_BYTES, settings.STORAGE_URL = 1_000_000, "file:///nowhere"  # kept in memory all the same
    monkeypatch.setattr(keeping, "SWEEP_EVERY", 0)
    yield
    settings.STORAGES = settings.STORAGES | {"default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}
    folders, _ = default_storage.listdir("")
    for folder in folders:
        for name in default_storage.listdir(folder)[1]:
            default_storage.delete(f"{folder}/{name}")
