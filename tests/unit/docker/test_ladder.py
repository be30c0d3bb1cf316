"""The time-outs and limits that stand in different files and only make sense together."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from realtime import limits
from realtime.ending import EXIT_SECONDS

ROOT = Path(__file__).parents[3]
HEROKU_ROUTER_SECONDS = 55  # of silence; the stack's tests hold their double of it to that, too


def number(file: str, pattern: str) -> int:
    found = re.findall(pattern, (ROOT / file).read_text(), re.MULTILINE)
    assert len(set(found)) == 1, f"{pattern} in {file}: {found}"
    return int(found[0])


@pytest.mark.parametrize("directive", ["proxy_read_timeout", "proxy_send_timeout", "send_timeout"])
def test_silence_is_broken_before_anybody_takes_it_for_death(directive: str) -> None:
    nginx = number("nginx/proxy.conf", rf"^{directive} (\d+)s;")
    assert limits.SEQ_SECONDS <= limits.PING_SECONDS
    assert limits.PING_SECONDS + limits.PONG_SECONDS < HEROKU_ROUTER_SECONDS < nginx
    assert max(limits.REQUEST_SECONDS + limits.HANDSHAKE_SECONDS, limits.ANSWER_SECONDS) < nginx


def test_a_stream_of_events_is_as_a_socket_to_whoever_stands_in_between() -> None:
    """It has no pings: comments break its silence. Its place in nginx has the patience of all others."""
    from topics.http import stream

    heroku_first_byte = 30
    assert heroku_first_byte >= limits.ANSWER_SECONDS
    assert stream.PING_SECONDS == limits.PING_SECONDS < HEROKU_ROUTER_SECONDS
    site = (ROOT / "nginx/site.conf").read_text()
    [topics] = re.findall(r"location /topics/ \{(.*?)\}", site, re.DOTALL)
    assert "proxy_buffering off;" in topics
    assert "_timeout" not in topics.replace("error timeout", "")


def test_everybody_leaves_in_order() -> None:
    nginx = number("nginx/nginx.conf", r"^worker_shutdown_timeout (\d+)s;")
    grace = number("docker-compose.yml", r"stop_grace_period: (\d+)s")
    drain = number("app/config/settings.py", r'whole\("DRAIN_SECONDS", (\d+)')
    longest = number("app/config/settings.py", r'whole\("DRAIN_SECONDS", \d+, 0, (\d+)\)')
    after_the_drain = limits.FLUSH_SECONDS + limits.STOP_SECONDS + limits.END_SECONDS + EXIT_SECONDS
    assert drain + after_the_drain < nginx < grace == limits.GRACE_SECONDS
    assert longest + after_the_drain < grace


def test_whoever_uses_an_idle_connection_next_is_the_one_who_closes_it() -> None:
    heroku_router = 90
    assert number("nginx/upstreams.conf", r"keepalive_timeout (\d+)s;") < limits.KEEP_ALIVE_SECONDS
    assert heroku_router < limits.KEEP_ALIVE_SECONDS


def test_a_connection_that_finds_no_server_is_given_up_before_its_client_gives_up() -> None:
    assert number("nginx/proxy.conf", r"^proxy_connect_timeout (\d+)ms;") < 1_000
    assert number("nginx/proxy.conf", r"^proxy_next_upstream_timeout (\d+)s;") < limits.HANDSHAKE_SECONDS


def test_there_are_enough_files_for_the_sockets() -> None:
    files = number("docker-compose.yml", r"nofile: (\d+)")
    assert number("app/config/settings.py", r'whole\("MAX_SOCKETS", (\d+_?\d*)') < files
    assert number("nginx/nginx.conf", r"worker_rlimit_nofile (\d+);") == files
    assert number("nginx/nginx.conf", r"worker_connections (\d+);") < files


def test_the_servers_fit_into_the_connections_that_postgres_has() -> None:
    pool = number("app/config/settings.py", r'"DATABASE_POOL", (\d+)')
    threads = number("app/config/gunicorn.py", r"^threads = (\d+)")
    workers = number("app/config/settings.py", r'whole\("WEB_CONCURRENCY", (\d+)')
    most = number("docker/postgres/postgresql.conf", r"^max_connections = (\d+)")
    three_and_one_and_their_successors = 2 * (3 * pool + workers * threads)
    assert three_and_one_and_their_successors <= most - 15


def test_as_many_connections_are_counted_with_as_postgres_has_for_the_application() -> None:
    most = number("docker/postgres/postgresql.conf", r"^max_connections = (\d+)")
    reserved = number("docker/postgres/postgresql.conf", r"^superuser_reserved_connections = (\d+)")
    assert number("docker-compose.yml", r"DATABASE_CONNECTIONS:-(\d+)") == most - reserved


def test_a_body_has_one_limit_all_the_way() -> None:
    for directive in ("client_max_body_size", "client_body_buffer_size"):
        assert number("nginx/limits.conf", rf"^{directive} (\d+)k;") * 1024 == limits.MAX_BODY_BYTES
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE == settings.FILE_UPLOAD_MAX_MEMORY_SIZE == limits.MAX_BODY_BYTES


def test_the_edge_has_less_patience_with_a_request_than_the_servers_behind_it() -> None:
    assert number("nginx/limits.conf", r"^client_header_timeout (\d+)s;") < limits.REQUEST_SECONDS
