"""The time-outs and limits that stand in different files and only make sense together."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def number(file: str, pattern: str) -> int:
    found = re.findall(pattern, (ROOT / file).read_text(), re.MULTILINE)
    assert len(set(found)) == 1, f"{pattern} in {file}: {found}"
    return int(found[0])


def test_silence_is_broken_before_anybody_takes_it_for_death() -> None:
    from realtime.limits import PING_SECONDS

    heroku_router = 55
    for directive in ("proxy_read_timeout", "proxy_send_timeout", "send_timeout"):
        assert PING_SECONDS < heroku_router < number("nginx/proxy.conf", rf"^{directive} (\d+)s;")


def test_a_stream_of_events_is_as_a_socket_to_whoever_stands_in_between() -> None:
    """It has no pings: comments break its silence. Its place in nginx has the patience of all others."""
    from realtime.limits import ANSWER_SECONDS, HEROKU_ROUTER_SECONDS, PING_SECONDS
    from topics import stream

    heroku_first_byte = 30
    assert heroku_first_byte >= ANSWER_SECONDS
    assert stream.PING_SECONDS == PING_SECONDS < HEROKU_ROUTER_SECONDS
    site = (ROOT / "nginx/site.conf").read_text()
    [topics] = re.findall(r"location /topics/ \{(.*?)\}", site, re.DOTALL)
    assert "proxy_buffering off;" in topics
    assert "_timeout" not in topics.replace("error timeout", "")


def test_everybody_leaves_in_order() -> None:
    drain = number("app/config/settings.py", r'whole\("DRAIN_SECONDS", (\d+)')
    nginx = number("nginx/nginx.conf", r"^worker_shutdown_timeout (\d+)s;")
    grace = number("docker-compose.yml", r"stop_grace_period: (\d+)s")
    assert drain < nginx < grace == 30


def test_whoever_uses_an_idle_connection_next_is_the_one_who_closes_it() -> None:
    from realtime.limits import KEEP_ALIVE_SECONDS

    assert number("nginx/upstreams.conf", r"keepalive_timeout (\d+)s;") < KEEP_ALIVE_SECONDS


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
    from django.conf import settings

    from realtime.limits import MAX_BODY_BYTES

    for directive in ("client_max_body_size", "client_body_buffer_size"):
        assert number("nginx/limits.conf", rf"^{directive} (\d+)k;") * 1024 == MAX_BODY_BYTES
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE == settings.FILE_UPLOAD_MAX_MEMORY_SIZE == MAX_BODY_BYTES


def test_the_edge_has_less_patience_with_a_request_than_the_servers_behind_it() -> None:
    from realtime.limits import REQUEST_SECONDS

    assert number("nginx/limits.conf", r"^client_header_timeout (\d+)s;") < REQUEST_SECONDS
