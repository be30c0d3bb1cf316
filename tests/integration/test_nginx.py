"""What nginx tells the servers behind it, and to which of them it goes: with stand-ins for the servers."""

import contextlib
import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest

from servers import needed
from servers.nginx import Nginx
from servers.ports import free_port
from servers.stub import Stub
from visitor import Page, Visitor

HANDSHAKE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec_WebSocket_Version": "13",
    "Sec_WebSocket_Extensions": "permessage-deflate",
}


@pytest.fixture
def web() -> Iterator[Stub]:
    with Stub() as stub:
        yield stub


@pytest.fixture
def leaving() -> Iterator[Stub]:
    """A ws process that drains: it refuses every handshake."""
    with Stub(status=503) as stub:
        yield stub


@pytest.fixture
def staying() -> Iterator[Stub]:
    with Stub() as stub:
        yield stub


@pytest.fixture
def nginx(web: Stub, leaving: Stub, staying: Stub) -> Iterator[Nginx]:
    needed.programs("nginx")
    edge = Nginx(web=[web.port], ws=[leaving.port, staying.port])
    edge.start()
    yield edge
    edge.stop()


@pytest.fixture
def alice(nginx: Nginx) -> Visitor:
    return Visitor(f"http://127.0.0.1:{nginx.port}")


def test_a_clients_claims_about_its_address_are_not_passed_on(alice: Visitor) -> None:
    for path in ("/", "/static/x.css", "/ws/room/lobby/"):
        forged = {"X_Forwarded_For": "203.0.113.9", "X_Forwarded_Proto": "https", "X_Request_Id": "mine"}
        told = headers(alice.get(path, **forged, Proxy="http://evil.example"))
        assert told["x-forwarded-for"] == "127.0.0.1"
        assert told["x-forwarded-proto"] == "http"
        assert re.fullmatch(r"[0-9a-f]{32}", told["x-request-id"])
        assert "proxy" not in told


def test_the_host_keeps_its_port(nginx: Nginx, alice: Visitor) -> None:
    assert headers(alice.get("/"))["host"] == f"127.0.0.1:{nginx.port}"


def test_a_handshake_is_passed_on_as_one_and_without_compression(alice: Visitor) -> None:
    told = headers(alice.get("/ws/room/lobby/", **HANDSHAKE))
    assert (told["upgrade"], told["connection"]) == ("websocket", "upgrade")
    assert "sec-websocket-extensions" not in told
    assert told["sec-websocket-key"] == HANDSHAKE["Sec_WebSocket_Key"]


def test_a_plain_request_keeps_its_connection_to_the_server(alice: Visitor) -> None:
    assert "close" not in headers(alice.get("/")).get("connection", "")


def test_a_handshake_that_a_leaving_server_refuses_goes_to_the_next(
    alice: Visitor, leaving: Stub, staying: Stub
) -> None:
    statuses = [alice.get("/ws/room/lobby/", **HANDSHAKE).status for _ in range(12)]
    assert statuses == 12 * [200]
    assert leaving.asked, "it was asked first at least once"
    assert len(staying.asked) == 12


def test_a_page_that_fails_is_not_asked_for_twice(alice: Visitor, web: Stub) -> None:
    web.status = 503
    assert alice.post_raw("/room/lobby/", b"body=once").status == 503
    assert web.asked == ["POST /room/lobby/"]


def test_an_event_that_a_server_may_have_stored_before_it_died_is_not_sent_again(
    alice: Visitor, leaving: Stub, staying: Stub
) -> None:
    """Without an id it would be another event."""
    leaving.status = staying.status = 0
    assert alice.post_raw("/topics/votes/lunch", b'{"data":"pizza"}').status == 503
    assert len(leaving.asked + staying.asked) == 1


def test_what_is_asked_of_a_topic_where_a_server_has_died_is_asked_of_the_next(
    nginx: Nginx, alice: Visitor, staying: Stub, leaving: Stub
) -> None:
    leaving.status = 0
    assert [alice.get("/topics/votes/lunch").status for _ in range(8)] == 8 * [200]
    nginx.stop()
    nginx.lead_to(web=[free_port()], ws=[free_port(), staying.port])
    nginx.start()
    assert [alice.post_raw("/topics/votes/lunch", b"{}").status for _ in range(8)] == 8 * [200]


def test_while_nobody_is_there_people_are_told_to_come_back(nginx: Nginx, alice: Visitor) -> None:
    nobody = free_port()
    nginx.stop()
    nginx.lead_to(web=[nobody], ws=[nobody])
    nginx.start()
    for path in ("/", "/ws/room/lobby/"):
        answer = alice.get(path)
        assert answer.status == 503
        assert answer.headers["Retry-After"]
        assert "try again" in answer.text


def test_sockets_are_for_websocket_upgrades_only(alice: Visitor) -> None:
    """Another protocol's upgrade would be a tunnel through which nginx sees no requests."""
    told = headers(alice.get("/", Upgrade="h2c", Connection="Upgrade, HTTP2-Settings", HTTP2_Settings="AA"))
    assert told.get("connection", "") not in ("Upgrade", "upgrade")


@pytest.mark.parametrize("path", ["/ws", "/static"])
def test_a_missing_slash_leads_to_the_site_that_was_asked(alice: Visitor, path: str) -> None:
    answer = alice.get(path, Host="rooms.example.org")
    assert (answer.status, answer.headers["Location"]) == (301, f"{path}/")


@pytest.mark.parametrize("path", ["/", "/static/x.css", "/static", "/metrics", "/ws/room/lobby/"])
def test_browsers_guess_no_types_whoever_answers(alice: Visitor, path: str) -> None:
    assert alice.get(path).headers.get_all("X-Content-Type-Options") == ["nosniff"]


def test_browsers_guess_no_types_of_what_nginx_says_itself(nginx: Nginx, alice: Visitor) -> None:
    too_large = alice.post_raw("/", b"body=" + b"x" * 140_000)
    nobody = free_port()
    nginx.stop()
    nginx.lead_to(web=[nobody], ws=[nobody])
    nginx.start()
    away = alice.get("/")
    assert (too_large.status, away.status) == (413, 503)
    for answer in (too_large, away):
        assert answer.headers.get_all("X-Content-Type-Options") == ["nosniff"]


# --- the proxies in front ---


def test_a_named_proxy_is_believed_and_nobody_before_it(nginx: Nginx, alice: Visitor) -> None:
    trusting(nginx, "127.0.0.1", "10.0.0.0/8", "::1")
    told = headers(alice.get("/", X_Forwarded_For="203.0.113.9, 198.51.100.7", X_Forwarded_Proto="https"))
    assert (told["x-forwarded-for"], told["x-forwarded-proto"]) == ("198.51.100.7", "https")
    assert "x-unbelieved-proxy" not in told


@pytest.mark.parametrize("scheme", ["https", "HTTPS", "wss", "http, https"])
def test_the_servers_are_told_of_a_proxy_that_nobody_named(alice: Visitor, scheme: str) -> None:
    told = headers(alice.get("/", X_Forwarded_Proto=scheme))
    assert (told["x-forwarded-proto"], told["x-unbelieved-proxy"]) == ("http", "127.0.0.1")


def test_a_client_cannot_say_that_a_proxy_was_not_believed(alice: Visitor) -> None:
    assert "x-unbelieved-proxy" not in headers(alice.get("/", X_Unbelieved_Proxy="192.0.2.1"))


def test_the_gateway_is_found_wherever_docker_put_it(nginx: Nginx) -> None:
    nginx.believe("gateway")
    written = (nginx.configuration / "proxies.conf").read_text()
    default = subprocess.run(["ip", "-4", "route", "show", "default"], capture_output=True, text=True, check=True)
    assert f"set_real_ip_from {default.stdout.split()[2]};" in written


@pytest.mark.parametrize("name", ["proxy.example", "10.0.0.1;", "$host", "0 1; include /etc/passwd"])
def test_a_proxy_without_an_address_is_one_sentence(nginx: Nginx, name: str) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        nginx.believe(name)
    assert refused.value.stderr.startswith("TRUSTED_PROXIES: '")
    assert refused.value.stderr.count("\n") == 1


def trusting(nginx: Nginx, *proxies: str) -> None:
    nginx.stop()
    nginx.believe(*proxies)
    nginx.start()


# --- limits ---


@pytest.mark.parametrize("path", ["/accounts/login/", "/admin/login/", "/admin/%6Cogin/?next=/"])
def test_logins_from_one_address_are_bounded_and_nothing_else_is(alice: Visitor, web: Stub, path: str) -> None:
    statuses = [alice.post_raw(path, b"password=wrong").status for _ in range(40)]
    assert statuses[:20] == 20 * [200]
    refused = alice.post_raw(path, b"password=wrong")
    assert (refused.status, refused.headers["Retry-After"]) == (429, "10")
    assert "Too many attempts" in refused.text
    assert len(web.asked) < 35
    assert alice.get(path).status == 200
    assert alice.post_raw("/room/lobby/", b"body=hello").status == 200


def test_logins_are_counted_by_the_address_that_a_proxy_reports(nginx: Nginx, alice: Visitor) -> None:
    trusting(nginx, "127.0.0.1")
    mallory = [alice.post_raw("/accounts/login/", b"", X_Forwarded_For="198.51.100.7").status for _ in range(40)]
    assert 429 in mallory
    assert alice.post_raw("/accounts/login/", b"", X_Forwarded_For="203.0.113.9").status == 200


def test_a_socket_too_many_is_refused_and_pages_go_on(nginx: Nginx, alice: Visitor, web: Stub) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, contextlib.ExitStack() as sockets:
        nginx.stop()
        nginx.limit("limit_conn sockets 20000;", "limit_conn sockets 3;")
        nginx.lead_to(web=[web.port], ws=[silent.getsockname()[1]])
        nginx.start()
        held = [sockets.enter_context(handshake(nginx)) for _ in range(3)]
        for _ in held:
            sockets.enter_context(silent.accept()[0])  # kept: nginx would notice its end, and give its place away
        refused = alice.get("/ws/room/lobby/", **HANDSHAKE)
        assert (refused.status, refused.headers["Retry-After"]) == (429, "30")
        assert alice.get("/").status == 200
        held[0].close()
        waiting = sockets.enter_context(handshake(nginx))
        until_accepted(silent, nginx, waiting)


def handshake(nginx: Nginx) -> socket.socket:
    browser = socket.create_connection(("127.0.0.1", nginx.port))
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in {"Host": "localhost", **HANDSHAKE}.items()]
    browser.sendall("\r\n".join(["GET /ws/room/lobby/ HTTP/1.1", *lines, "", ""]).encode())
    return browser


def until_accepted(silent: socket.socket, nginx: Nginx, browser: socket.socket) -> None:
    """nginx hears of a client that has gone in its own time: until then, another is refused."""
    deadline = time.monotonic() + 30
    silent.settimeout(0.2)
    while time.monotonic() < deadline:
        with contextlib.suppress(TimeoutError):
            silent.accept()
            return
        browser.close()
        browser = handshake(nginx)
    pytest.fail("the place of a socket that ended stays taken")


# --- the log ---

HOSTILE = {
    "bytes that are no text in the path": b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
    "the same, written as numbers": b"GET /%ff%c0%af/x HTTP/1.1\r\nHost: a\r\n\r\n",
    "half a character": b"GET /%e8%8c HTTP/1.1\r\nHost: a\r\n\r\n",
    "a surrogate": b"GET /%ed%a0%80 HTTP/1.1\r\nHost: a\r\n\r\n",
    "an agent that is no text": b'GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: \xff\xc3("\\\x7f\r\n\r\n',
    "a long agent": b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: " + "茶é".encode() * 1_500 + b"\r\n\r\n",
    "a host that is no text": b"GET / HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n",
    "control characters": b"GET /%00%01%1b[31m%0a%0d%22 HTTP/1.1\r\nHost: a\r\n\r\n",
    "a quote and a backslash": b'GET /%22%5c"\\ HTTP/1.1\r\nHost: a\r\nUser-Agent: "\\\r\n\r\n',
    "the first version of HTTP": b"GET /?token=secret\r\n\r\n",
    "no request at all": b"\x16\x03\x01\x02\x00\xff\r\n\r\n",
    "another version": b"GET /?token=secret HTTP/9.9\r\nHost: a\r\n\r\n",
    "no host": b"GET /?token=secret HTTP/1.1\r\n\r\n",
    "an upgrade": b"GET /ws/?token=secret HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    "half a request": b"GET /?token=secret HTTP/1.1\r\nHost: ",
    "half a body": b"POST /?token=secret HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nbody",
    "too much of a body": b"POST /?token=secret HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\n",
    "a method of its own": b"SECRET /?token=secret HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tunnel": b"CONNECT secret:443 HTTP/1.1\r\nHost: a\r\n\r\n",
}


def test_every_line_of_the_log_is_json_and_holds_no_query(nginx: Nginx, alice: Visitor) -> None:
    for name, request in HOSTILE.items():
        with socket.create_connection(("127.0.0.1", nginx.port), timeout=30) as client:
            client.sendall(request)
            if "half a" not in name:
                client.recv(65_536)
    for _ in range(40):
        alice.post_raw("/accounts/login/?token=secret", b"")
    nobody = free_port()
    nginx.stop()
    nginx.lead_to(web=[nobody], ws=[nobody])
    nginx.start()
    assert alice.get("/room/%E8%8C%B6/?token=secret", Referer="http://a/?token=secret").status == 503
    nginx.stop()
    lines = [json.loads(line.decode()) for line in nginx.raw_output().splitlines()]
    assert len(lines) > len(HOSTILE)
    assert "secret" not in json.dumps(lines).replace("SECRET", "")
    assert lines[-1]["path"] == "/room/茶/"
    assert lines[-1]["upstream_status"].startswith("502")
    assert "(no text)" in {line["path"] for line in lines} & {line["agent"] for line in lines}
    assert "REJECTED" in {line["login"] for line in lines}


def headers(page: Page) -> dict[str, str]:
    found: dict[str, str] = json.loads(page.text)
    return found


# --- Behind another proxy ----------------------------------------------------------------------------


@pytest.fixture
def behind(web: Stub) -> Iterator[Visitor]:
    """Somebody whose word nginx takes for that of the proxy which ends TLS."""
    needed.programs("nginx")
    edge = Nginx(web=[web.port], ws=[web.port])
    edge.believe("127.0.0.0/8")
    edge.start()
    yield Visitor(f"http://127.0.0.1:{edge.port}")
    edge.stop()


@pytest.mark.parametrize(
    ("spelled", "told"),
    [
        *((word, "https") for word in ("https", "HTTPS", "wss", "WSS", "on", "http, https", '"https"')),
        *((word, "http") for word in ("http", "ws", "off", "https,http", "nonsense", "https://a")),
    ],
)
def test_the_scheme_is_understood_however_the_proxy_spells_it(behind: Visitor, spelled: str, told: str) -> None:
    for path in ("/", "/ws/room/lobby/"):
        assert headers(behind.get(path, X_Forwarded_Proto=spelled))["x-forwarded-proto"] == told


@pytest.mark.parametrize("spelled", ["198.51.100.7", "198.51.100.7:4711", "203.0.113.1, 198.51.100.7:80"])
def test_the_address_is_the_same_whatever_port_the_proxy_adds(behind: Visitor, spelled: str) -> None:
    assert headers(behind.get("/", X_Forwarded_For=spelled))["x-forwarded-for"] == "198.51.100.7"
