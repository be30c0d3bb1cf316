"""The thread that publishes where no sockets are served."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from realtime import failures, hubs
from realtime import hub as hub_module
from unit.realtime.fakes import Layer, Permissive


@pytest.fixture(autouse=True)
def nobody_publishes_yet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("_publisher", "_publishing"):
        monkeypatch.setattr(hubs, name, None)
    monkeypatch.setattr(failures, "watch", lambda loop: None)
    yield
    hubs.end_publisher()


def test_the_same_thread_publishes_as_long_as_it_lives() -> None:
    loop = hubs.publisher()
    assert hubs.publisher() is loop


def test_a_thread_that_has_ended_is_replaced() -> None:
    first = hubs.publisher()
    hubs.end_publisher()
    second = hubs.publisher()
    assert second is not first
    heard = threading.Event()
    second.call_soon_threadsafe(heard.set)
    assert heard.wait(5)


def test_what_a_command_says_last_is_told_before_it_ends(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = Layer()
    monkeypatch.setattr(hub_module, "get_channel_layer", lambda: layer)
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"}}
    before = threading.active_count()
    hubs.from_any_thread(Permissive(), lambda hub: hub.mention("1", "typing", by=""))  # type: ignore[arg-type]
    hubs.end_publisher()
    assert [event for message in layer.sent for event in message["events"] if "frame" in event]
    assert threading.active_count() == before
    hubs.end_publisher()  # once more is no mistake
