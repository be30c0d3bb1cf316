"""A keeper without a thread: its rounds are made by hand, in this thread, and as many as the test wants."""

from collections.abc import Iterator

import pytest

from topics.growing import writing
from topics.growing.keeper import Keeper


class ByHand(Keeper):
    def _begin(self) -> None:
        """Nothing is done by itself."""

    def store(self) -> None:
        """As if a quarter of a second had passed."""
        self._stop()
        self._store()

    def stop(self) -> bool:
        """As if it had been told that somebody has cancelled something. Whether something is left."""
        return self._stop()

    @property
    def is_told(self) -> bool:
        return self._stopping.soon.is_set()


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> Iterator[ByHand]:
    keeper = ByHand()
    monkeypatch.setattr(writing, "keeper", keeper)
    yield keeper
    keeper._growths.clear()
