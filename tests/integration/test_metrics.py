"""What a process of each role tells its operator: alice talks at one process, bob listens at another."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from prometheus_client.parser import text_string_to_metric_families

from client import enter, new_room
from servers import needed
from servers.app import Server
from servers.ports import free_port
from servers.process import descendants
from servers.stack import Stack

ROOT = Path(__file__).parents[2]
DASHBOARD = ROOT / "docker/metrics/provisioning/dashboards/realtime.json"
ALERTS = ROOT / "docker/metrics/alerts.yml"
WORKERS, THREADS = 2, 4


class Watched(NamedTuple):
    """A process, and the port on which its numbers are."""

    server: Server
    port: int

    def page(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            return str(answer.read().decode())

    def number(self, sample: str) -> float:
        """0 where it has none yet."""
        lines = self.page().splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if line.rpartition(" ")[0] == sample), 0.0)

    async def comes_to(self, sample: str, wanted: Callable[[float], bool], seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not wanted(found := await asyncio.to_thread(self.number, sample)):
            assert time.monotonic() < deadline, f"{sample} is {found}\n{self.page()}"
            await asyncio.sleep(0.1)


def watched(make: Callable[[dict[str, str]], Server], **more: str) -> Iterator[Watched]:
    port = free_port()
    one = Watched(make({"METRICS_PORT": str(port), **more}), port)
    one.server.start()
    yield one
    one.server.stop()


@pytest.fixture(scope="module")
def alices(stack: Stack) -> Iterator[Watched]:
    env = stack.ws[0].env or {}
    yield from watched(lambda more: stack.image.ws("alices", {**env, **more}), DRAIN_SECONDS="5")


@pytest.fixture(scope="module")
def bobs(stack: Stack) -> Iterator[Watched]:
    env = stack.ws[0].env or {}
    yield from watched(lambda more: stack.image.ws("bobs", {**env, **more}))


@pytest.fixture(scope="module")
def web(stack: Stack) -> Iterator[Watched]:
    yield from watched(lambda more: stack.image.web({**stack.env, **more}), WEB_CONCURRENCY=str(WORKERS))


@pytest.fixture(scope="module")
def edge(stack: Stack) -> Watched:
    return Watched(stack.web, stack.nginx.metrics_port)


def until(fits: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not fits():
        assert time.monotonic() < deadline
        time.sleep(0.1)


async def test_what_alice_says_is_followed_to_another_process(alices: Watched, bobs: Watched) -> None:
    room = new_room()
    lag = bobs.number("realtime_layer_lag_seconds_count")
    async with await enter(alices.server.ws_url, room) as alice, await enter(bobs.server.ws_url, room) as bob:
        await asyncio.gather(alice.sees("joined", bob.welcome["you"]), bob.sees("joined", alice.welcome["you"]))
        for number in range(5):
            await alice.say(f"number {number}")
            await bob.hears(f"number {number}")
        for sample, least in {
            "realtime_opened_total": 1,
            "realtime_sockets": 1,
            "realtime_rooms": 1,
            "realtime_frames_in_total": 5,
            "realtime_appended_total": 5,
            "realtime_ack_seconds_count": 5,
            "realtime_append_seconds_count": 1,
            "realtime_append_events_sum": 5,
            "realtime_handed_out_total": 5,
            "realtime_hand_out_seconds_count": 5,
            "realtime_pool_requests_total": 1,
        }.items():
            await alices.comes_to(sample, lambda found, least=least: found >= least)
        await bobs.comes_to("realtime_layer_lag_seconds_count", lambda found: found >= lag + 5)
        assert 0 < bobs.number("realtime_layer_lag_seconds_sum") < 60
        assert alices.number("realtime_sockets_most") > 0
        assert alices.number("realtime_waiting_bytes_most") > 0


async def test_who_leaves_is_counted_by_close_code(alices: Watched) -> None:
    clean, cut = 'realtime_closed_total{code="1000"}', 'realtime_closed_total{code="1006"}'
    before = alices.number(clean), alices.number(cut)
    async with await enter(alices.server.ws_url, new_room()):
        pass
    await alices.comes_to(clean, lambda found: found == before[0] + 1)
    carol = await enter(alices.server.ws_url, new_room())
    carol.cut()
    await alices.comes_to(cut, lambda found: found == before[1] + 1)


async def test_a_code_of_a_clients_own_makes_no_number_of_its_own(alices: Watched) -> None:
    async with await enter(alices.server.ws_url, new_room()) as alice:
        await alice.connection.close(4321)
    await alices.comes_to('realtime_closed_total{code="other"}', lambda found: found >= 1)
    assert "4321" not in alices.page()


async def test_a_page_of_a_stranger_is_counted_and_not_named(alices: Watched) -> None:
    with pytest.raises(Exception, match="403"):
        await enter(alices.server.ws_url, new_room(), headers={"Origin": "https://stranger.example"})
    await alices.comes_to('realtime_refused_total{reason="origin"}', lambda found: found == 1)
    assert "stranger" not in alices.page()


def test_the_workers_of_gunicorn_are_one(web: Watched) -> None:
    pages, seen = 20, 'web_answer_seconds_count{status="2xx"}'
    before = web.number(seen)
    for _ in range(pages):
        urllib.request.urlopen(f"{web.server.url}/", timeout=10).close()
    until(lambda: web.number(seen) >= before + pages)
    assert web.number("web_threads") == WORKERS * THREADS
    assert "pid=" not in web.page()
    until(lambda: web.number("web_queue") == 0)


def test_a_worker_that_dies_takes_its_threads_with_it_and_not_what_it_has_counted(web: Watched) -> None:
    seen = 'web_answer_seconds_count{status="2xx"}'
    urllib.request.urlopen(f"{web.server.url}/", timeout=10).close()
    until(lambda: web.number(seen) >= 1)
    before = web.number(seen)
    workers = descendants(web.server.pid)
    os.kill(workers[0], signal.SIGKILL)
    until(lambda: len(alive := descendants(web.server.pid)) == WORKERS and alive != workers)
    until(lambda: web.number("web_threads") == WORKERS * THREADS)
    assert web.number(seen) >= before
    urllib.request.urlopen(f"{web.server.url}/", timeout=10).close()


def test_threads_that_are_busy_are_seen(web: Watched) -> None:
    lines = [socket.create_connection(("127.0.0.1", web.server.port)) for _ in range(3)]
    try:
        for line in lines:
            line.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")  # the rest of it does not come
        until(lambda: web.number("web_threads_busy") >= 3)
    finally:
        for line in lines:
            line.close()
    until(lambda: web.number("web_threads_busy") == 0)


def test_nginx_tells_what_its_connections_do(edge: Watched) -> None:
    assert edge.number('nginx_connections{state="writing"}') >= 1  # this one


def test_nothing_is_left_of_gunicorns_numbers_when_it_ends(stack: Stack) -> None:
    for web in watched(lambda more: stack.image.web({**stack.env, **more})):
        folders = {Path(found[1]) for found in re.finditer(r"(/\S*/metrics-\w+)/", _maps(web.server.pid))}
        assert [folder.is_dir() for folder in folders] == [True]
        assert web.server.stop() == 0
        assert [folder.exists() for folder in folders] == [False]


def _maps(pid: int) -> str:
    return Path(f"/proc/{pid}/maps").read_text()


# --- The overlay that shows them ---------------------------------------------------------------------


def names(page: str) -> set[str]:
    """Of samples, also those that have no value yet."""
    found = set()
    for family in text_string_to_metric_families(page):
        endings = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}.get(family.type, [""])
        found |= {family.name + ending for ending in endings}
    return {name for name in found if not name.endswith("_created")}


def asked() -> dict[str, str]:
    """Each expression of the dashboard and of the alerts, by what it is for."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    found = {
        f"{panel['title']} {target['refId']}": target["expr"] for panel in panels for target in panel.get("targets", ())
    }
    rules = re.split(r"^ +- alert: ", ALERTS.read_text(), flags=re.MULTILINE)[1:]
    for rule in rules:
        found[rule.partition("\n")[0]] = re.search(
            r"expr: *\|?(.*?)^ +(?:for|labels):", rule, re.DOTALL | re.MULTILINE
        )[1]  # type: ignore[index]
    return found


def test_whatever_is_shown_or_watched_is_told_by_a_process(alices: Watched, web: Watched, edge: Watched) -> None:
    told = names(alices.page()) | names(web.page()) | names(edge.page())
    ours = re.compile(r"\b(?:realtime|web|nginx|process)_\w+")
    used = {name for expression in asked().values() for name in ours.findall(expression)}
    assert {"realtime_sockets", "realtime_layer_lag_seconds_bucket", "web_threads_busy", "nginx_connections"} < used
    assert used - told == set()


def test_whatever_a_process_tells_is_explained_and_shown(alices: Watched, web: Watched, edge: Watched) -> None:
    told = {name for page in (alices.page(), web.page(), edge.page()) for name in names(page)}
    ours = {
        re.sub("_(total|bucket|count|sum)$", "", name)
        for name in told
        if name.startswith(("realtime_", "web_", "nginx_"))
    }
    documented = (ROOT / "docs/metrics.md").read_text()
    assert {name for name in ours if f"`{name}" not in documented} == set()
    shown = DASHBOARD.read_text()
    assert {name for name in ours if name not in shown} - {"realtime_sockets_most"} == set()


def test_each_alert_fires_where_it_should() -> None:
    needed.programs("promtool")
    tests = ROOT / "tests/integration/alerts.yml"
    done = subprocess.run(["promtool", "test", "rules", tests], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    alerts = set(re.findall(r"- alert: (\w+)", ALERTS.read_text()))
    fires = set(re.findall(r"alertname: (\w+)\n +exp_alerts:", tests.read_text()))
    assert fires == alerts


def test_each_alert_is_explained() -> None:
    documented = (ROOT / "docs/metrics.md").read_text()
    alerts = re.findall(r"- alert: (\w+)", ALERTS.read_text())
    assert [alert for alert in alerts if f"`{alert}`" not in documented] == []


def test_prometheus_takes_the_configuration_and_each_expression_of_the_dashboard(tmp_path: Path) -> None:
    needed.programs("promtool")
    configuration = ROOT / "docker/metrics/prometheus.yml"
    done = subprocess.run(["promtool", "check", "config", configuration], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    rules = [
        {"record": f"shown:{number}", "expr": expression.replace("$__rate_interval", "1m")}
        for number, expression in enumerate(asked().values())
    ]
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "shown", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", tmp_path / "rules.yml"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    source = (ROOT / "docker/metrics/provisioning/datasources/prometheus.yml").read_text()
    assert {"uid", "title", "schemaVersion", "panels"} <= dashboard.keys()
    numbers = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(numbers)) == len(numbers)
    places = set()
    for panel in dashboard["panels"]:
        assert {"id", "type", "title", "gridPos"} <= panel.keys()
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        places.add((place["x"], place["y"]))
        for target in panel.get("targets", ()):
            assert f"uid: {target['datasource']['uid']}\n" in source
    assert len(places) == len(numbers)


async def test_a_drain_is_seen_as_it_goes_on(bobs: Watched) -> None:
    """The last test: bob's process ends."""
    sockets = [await enter(bobs.server.ws_url, new_room()) for _ in range(3)]
    await bobs.comes_to("realtime_sockets", lambda found: found == 3)
    assert bobs.number("realtime_draining") == 0
    bobs.server.signal(signal.SIGTERM)
    seen = await asyncio.to_thread(_last_page, bobs)
    assert "realtime_draining 1.0" in seen
    assert "realtime_draining_sockets 3.0" in seen
    for each in sockets:
        await each.leave()


def _last_page(watched: Watched) -> str:
    """As the process told it last, before it ended."""
    last, deadline = "", time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            last = watched.page()
        except OSError:
            break
        if "realtime_draining_sockets 3.0" in last:
            break
    return last
