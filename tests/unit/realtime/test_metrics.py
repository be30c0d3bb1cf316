"""What a process counts, and where it tells."""

import socket
import urllib.request

import pytest
from prometheus_client import REGISTRY

from realtime import drain, metrics


def test_open_sockets_are_counted_when_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "_draining", True)
    assert REGISTRY.get_sample_value("realtime_draining") == 1
    assert REGISTRY.get_sample_value("realtime_sockets") == len(drain.sockets)


def test_they_are_served_on_a_port_of_their_own() -> None:
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        port = somebody.getsockname()[1]
    metrics.serve("127.0.0.1", port)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as response:
        assert b"realtime_sockets" in response.read()


def test_a_taken_port_costs_only_the_metrics(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        metrics.serve("127.0.0.1", somebody.getsockname()[1])
    assert "no metrics: port" in caplog.text


def test_port_0_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "start_http_server", lambda *_: pytest.fail("served"))
    metrics.serve("127.0.0.1", 0)
