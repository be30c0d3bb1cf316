"""What a process counts, and where it tells."""

import socket
import urllib.request

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, Histogram

from realtime import drain, hearing, metrics
from realtime import repairing as repairing_module
from realtime.closing import known
from realtime.feed import Feed
from realtime.tallies import Spread
from unit.realtime.fakes import Log, Socket, frame, until


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


def test_a_spread_counts_as_prometheus_own_histogram_does() -> None:
    values, bounds = [0.0, 0.5, 1, 1.5, 2, 99], (1, 2)
    theirs = Histogram("unit_theirs", "", buckets=bounds, registry=CollectorRegistry())
    ours = Spread("unit_ours", "", bounds)
    for value in values:
        theirs.observe(value)
        ours.observe(value)
    try:
        (told,), (wanted,) = ours.collect(), theirs.collect()
        samples = {
            (sample.name.removeprefix("unit_ours"), *sample.labels.values()): sample.value for sample in told.samples
        }
        assert samples == {
            (sample.name.removeprefix("unit_theirs"), *sample.labels.values()): sample.value
            for sample in wanted.samples
            if not sample.name.endswith("_created")
        }
    finally:
        REGISTRY.unregister(ours)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repairing_module, "REORDER_SECONDS", 0.01)


def gaps(closed: str) -> float:
    return REGISTRY.get_sample_value("realtime_gaps_total", {"closed": closed}) or 0


async def test_a_gap_is_counted_by_what_closed_it(hurried: None) -> None:
    log = Log(2)
    feed = Feed("7", "epoch", 0, log.read)
    before = {how: gaps(how) for how in ("itself", "log", "unread", "never")}

    feed.take(2, frame(2))
    feed.take(1, frame(1))
    await until(lambda: gaps("itself") == before["itself"] + 1)

    log.seqs += [3, 4]
    feed.take(4, frame(4))
    await until(lambda: feed.seq == 4)
    assert gaps("log") == before["log"] + 1

    log.broken = OSError("away")
    feed.repair()
    await until(lambda: gaps("unread") == before["unread"] + 1)

    log.broken = None
    log.seqs.append(9)
    await feed.repair()
    assert gaps("never") == before["never"] + 1
    assert gaps("log") == before["log"] + 1
    feed.close()


async def test_a_round_is_timed_once_however_many_hear_it() -> None:
    feed = Feed("7", "epoch", 0, Log(1).read)
    for name in ("alice", "bob", "carol"):
        feed.follow(Socket(name), 0)
    rounds, deliveries = sum(metrics.hand_out_seconds.counts), metrics.handed_out.count
    feed.take(1, frame(1))
    feed.hand_out()
    feed.hand_out()
    assert sum(metrics.hand_out_seconds.counts) == rounds + 1
    assert metrics.handed_out.count == deliveries + 3
    feed.close()


def test_how_late_another_process_is_heard_is_never_less_than_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clocks of two hosts differ."""
    total, count = metrics.layer_lag_seconds.total, sum(metrics.layer_lag_seconds.counts)
    monkeypatch.setattr(hearing, "time", lambda: 100.0)
    hearing._note_lag(103.0)
    assert metrics.layer_lag_seconds.total == total
    hearing._note_lag(98.0)
    assert metrics.layer_lag_seconds.total == total + 2
    assert sum(metrics.layer_lag_seconds.counts) == count + 2


def test_a_close_code_has_a_count_of_its_own_only_where_it_means_something() -> None:
    assert [known(code) for code in (1000, 1006, 4501, 4321, 3000, 0)] == ["1000", "1006", "4501", *3 * ["other"]]
