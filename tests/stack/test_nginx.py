"""The edge as its container has it: its configuration on the nginx that reads it."""

import json
import re

import pytest

from realtime import limits
from stack.compose import Stack
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


def test_every_container_is_given_the_time_to_leave(stack: Stack) -> None:
    services = json.loads(stack.compose("config", "--format", "json"))["services"]
    assert {services[name]["stop_grace_period"] for name in services} == {f"{limits.GRACE_SECONDS}s"}
