"""What nginx tells the servers behind it, and to which of them it goes: with stand-ins for the servers."""

import json
import re
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
    edge.stop(seconds=2)


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


def test_while_nobody_is_there_people_are_told_to_come_back(nginx: Nginx, alice: Visitor) -> None:
    nobody = free_port()
    nginx.stop(seconds=2)
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


def headers(page: Page) -> dict[str, str]:
    found: dict[str, str] = json.loads(page.text)
    return found


# --- Behind another proxy ----------------------------------------------------------------------------


@pytest.fixture
def trusting(web: Stub) -> Iterator[Visitor]:
    """Somebody whose word nginx takes for that of the proxy which ends TLS."""
    needed.programs("nginx")
    edge = Nginx(web=[web.port], ws=[web.port])
    trust = edge.configuration / "trust.conf"
    filled_in = "default 0; 127.0.0.0/8 1;\n}\nset_real_ip_from 127.0.0.0/8;"
    trust.write_text(trust.read_text().replace("default 0;\n}", filled_in, 1))
    edge.start()
    yield Visitor(f"http://127.0.0.1:{edge.port}")
    edge.stop(seconds=2)


@pytest.mark.parametrize(
    ("spelled", "told"),
    [
        *((word, "https") for word in ("https", "HTTPS", "wss", "WSS", "on", "http, https", '"https"')),
        *((word, "http") for word in ("http", "ws", "off", "https,http", "nonsense", "https://a")),
    ],
)
def test_the_scheme_is_understood_however_the_proxy_spells_it(trusting: Visitor, spelled: str, told: str) -> None:
    for path in ("/", "/ws/room/lobby/"):
        assert headers(trusting.get(path, X_Forwarded_Proto=spelled))["x-forwarded-proto"] == told


@pytest.mark.parametrize("spelled", ["198.51.100.7", "198.51.100.7:4711", "203.0.113.1, 198.51.100.7:80"])
def test_the_address_is_the_same_whatever_port_the_proxy_adds(trusting: Visitor, spelled: str) -> None:
    assert headers(trusting.get("/", X_Forwarded_For=spelled))["x-forwarded-for"] == "198.51.100.7"
