"""Letters are sent when a test says so."""

import pytest

from accounts import letters


@pytest.fixture(autouse=True)
def cheap(cheap_pages: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "wake", lambda: None)
