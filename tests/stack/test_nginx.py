"""The edge as its container has it: its configuration on the nginx that reads it, and the ladder of time-outs."""

import json
import re

import pytest

from realtime import limits
from stack.compose import ROOT, Stack
from visitor import Visitor

CONFIGURATION = ["-p", "/run/nginx", "-c", "/etc/nginx/edge/current/nginx.conf", "-e", "stderr"]


def test_the_containers_nginx_reads_the_real_configuration(stack: Stack) -> None:
    nginx = stack.container("nginx")
    assert "nginx/1.30." in nginx.exec("sh", "-c", "nginx -v 2>&1")
    said = nginx.exec("sh", "-c", f"nginx -T {' '.join(CONFIGURATION)} 2>&1")
    assert "test is successful" in said
    assert "[warn]" not in said
    assert re.search(r"^\s*server ws:8000 resolve\b", said, re.MULTILINE)
    assert re.search(r"^\s*server web:8000 resolve\b", said, re.MULTILINE)


@pytest.mark.parametrize(
    "path", ["/metrics", "/metrics/", "/metrics?name[]=up", "//metrics", "/%6detrics", "/x/../metrics"]
)
def test_metrics_are_not_for_outside(stack: Stack, path: str) -> None:
    page = Visitor(stack.base_url).get(path)
    assert page.status == 404
    assert "# HELP" not in page.text


def test_metrics_are_there_inside(stack: Stack) -> None:
    ask = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:9100/metrics').read().decode())"
    assert "# HELP" in stack.containers("ws")[0].exec("python", "-I", "-c", ask)


def test_nothing_but_the_site_answers_at_the_edge(stack: Stack) -> None:
    visitor = Visitor(stack.base_url)
    assert visitor.get("/nginx-health").status == 404
    assert visitor.get("/stub_status").status == 404
    assert "nginx/" not in visitor.get("/").headers["Server"]


def test_a_query_is_not_logged(stack: Stack) -> None:
    Visitor(stack.base_url).get("/health/live?token=nobodys-business")
    logs = stack.logs(seconds=60)
    assert "/health/live" in logs
    assert "nobodys-business" not in logs


# --- the ladder ---


def seconds(file: str, directive: str) -> float:
    """A directive's time, wherever in the file it stands, and however often."""
    text = re.sub(r"#.*", "", (ROOT / "nginx" / file).read_text())
    found = set(re.findall(rf"\b{directive}\s+(\d+)(ms|s|m)?;", text))
    assert len(found) == 1, f"{directive} in {file}: {found}"
    ((number, unit),) = found
    return int(number) * {"ms": 0.001, "s": 1, "m": 60, "": 1}[unit]


def test_the_ladder_of_silence() -> None:
    assert limits.PING_SECONDS < limits.HEROKU_ROUTER_SECONDS < limits.NGINX_READ_SECONDS
    for directive in ("proxy_read_timeout", "proxy_send_timeout", "send_timeout"):
        assert seconds("proxy.conf", directive) == limits.NGINX_READ_SECONDS
    assert limits.PING_SECONDS + limits.PONG_SECONDS < limits.NGINX_READ_SECONDS


def test_whoever_would_use_an_idle_connection_closes_it() -> None:
    assert seconds("upstreams.conf", "keepalive_timeout") < limits.KEEP_ALIVE_SECONDS


def test_the_ladder_of_leaving(stack: Stack) -> None:
    services = json.loads(stack.compose("config", "--format", "json"))["services"]
    leaving = limits.DRAIN_SECONDS + limits.FLUSH_SECONDS + limits.STOP_SECONDS + limits.END_SECONDS
    assert limits.DRAIN_SECONDS < leaving < seconds("nginx.conf", "worker_shutdown_timeout") < limits.GRACE_SECONDS
    assert seconds("nginx.conf", "worker_shutdown_timeout") == limits.NGINX_SHUTDOWN_SECONDS
    assert {services[name]["stop_grace_period"] for name in services} == {f"{limits.GRACE_SECONDS}s"}


def test_a_connection_that_finds_no_server_is_given_up_before_its_client_gives_up() -> None:
    assert seconds("proxy.conf", "proxy_connect_timeout") < 1
    assert seconds("proxy.conf", "proxy_next_upstream_timeout") < limits.HANDSHAKE_SECONDS
