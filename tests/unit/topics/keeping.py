"""A keeper without a thread: its rounds are made by hand, in this thread, and as many as the test wants."""

from collections.abc import Iterator

import pytest

from topics.growing import writing
from topics.growing.keeper import Keeper


class ByHand(Keeper):
    def _work(self) -> None:
        """Nothing is stored by itself."""

    def store(self) -> None:
        """As if a quarter of a second had passed."""
        self._stored_at = 0.0
        self._round()


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> Iterator[ByHand]:
    keeper = ByHand()
    monkeypatch.setattr(writing, "keeper", keeper)
    yield keeper
    keeper._growths.clear()
