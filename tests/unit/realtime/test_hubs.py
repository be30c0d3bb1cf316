"""The thread that publishes where no sockets are served."""

import threading

import pytest

from realtime import failures, hubs


@pytest.fixture(autouse=True)
def nobody_publishes_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_publisher", "_publishing"):
        monkeypatch.setattr(hubs, name, None)
    monkeypatch.setattr(failures, "watch", lambda loop: None)


def test_the_same_thread_publishes_as_long_as_it_lives() -> None:
    loop = hubs.publisher()
    assert hubs.publisher() is loop
    loop.call_soon_threadsafe(loop.stop)


def test_a_thread_that_has_ended_is_replaced() -> None:
    first = hubs.publisher()
    first.call_soon_threadsafe(first.stop)
    assert hubs._publishing
    hubs._publishing.join(5)
    second = hubs.publisher()
    heard = threading.Event()
    second.call_soon_threadsafe(heard.set)
    assert heard.wait(5)
    second.call_soon_threadsafe(second.stop)
