"""What nginx keeps away from the servers, and what it adds."""

import asyncio
import json
import re
import socket
import urllib.request

from client import enter, new_id, new_room
from servers.stack import Stack
from visitor import Visitor, room_page


def test_nothing_internal_is_reachable_from_outside(stack: Stack) -> None:
    outside = Visitor(stack.base_url)
    for path in (
        "/metrics",
        "/metrics/",
        "/metrics/x",
        "/nginx-health",
        "/%6detrics",
        "//metrics",
        "/x/../metrics",
    ):
        assert outside.get(path).status == 404, path


def test_health_can_be_asked_from_outside_and_tells_no_more_than_a_word(stack: Stack) -> None:
    for check in ("live", "ready"):
        answer = Visitor(stack.base_url).get(f"/health/{check}", Host="whatever.example")
        assert (answer.status, json.loads(answer.text)) == (200, {"status": "ok"})


def test_a_body_of_more_than_128_kib_is_refused_before_the_server(stack: Stack) -> None:
    alice = Visitor(stack.base_url)
    path = room_page(new_room())
    alice.get(path)
    assert alice.post_raw(path, b"body=" + b"x" * 140_000).status == 413


def test_pages_come_with_the_headers_that_protect_them(stack: Stack) -> None:
    page = Visitor(stack.base_url).get(room_page(new_room()))
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "nginx/" not in page.headers["Server"]
    assert "no-store" in page.headers["Cache-Control"], "a page names the person who sees it"


def test_browsers_guess_no_types_whoever_answers(stack: Stack) -> None:
    link = re.findall(r'href="(/static/[^"]+\.css)"', Visitor(stack.base_url).get("/").text)[0]
    for base in (stack.base_url, stack.web.url, stack.ws[0].url):
        for path in ("/", link, link, "/static/nothing.js", "/nowhere", "/health/live", "/health/ready"):
            assert Visitor(base).get(path).headers.get_all("X-Content-Type-Options") == ["nosniff"], base + path


def test_asking_for_the_head_of_a_page_is_no_event(stack: Stack) -> None:
    stack.web.mark()
    head = urllib.request.Request(f"{stack.web.url}/", method="HEAD")
    with urllib.request.urlopen(head, timeout=60) as answer:
        assert answer.status == 200
    assert stack.web.output_since_mark() == ""


def test_static_files_are_served_from_nginxs_cache(stack: Stack) -> None:
    alice = Visitor(stack.base_url)
    link = re.findall(r'href="(/static/[^"]+\.css)"', alice.get("/").text)[0]
    alice.get(link)
    stack.nginx.mark()
    assert alice.get(link).status == 200
    assert logged(stack, link)["cache"] == "HIT"


def test_the_access_log_has_no_query_strings(stack: Stack) -> None:
    secret = new_id()
    assert Visitor(stack.base_url).get(f"/?token={secret}", X_Forwarded_For=f"203.0.113.9, {secret}").status == 200
    line = logged(stack, "/")
    assert (line["status"], line["address"]) == (200, "127.0.0.1")
    assert secret not in stack.nginx.output()


async def test_a_request_that_is_no_handshake_does_not_hang_at_the_sockets_path(stack: Stack) -> None:
    answer = await asyncio.to_thread(Visitor(stack.base_url).get, f"/ws/room/{new_room()}/")
    assert 400 <= answer.status < 500


async def test_a_half_sent_handshake_does_not_keep_alice_waiting(stack: Stack) -> None:
    with socket.create_connection(("127.0.0.1", stack.nginx.port)) as slow:
        slow.sendall(b"GET /ws/room/lobby/ HTTP/1.1\r\nHost: ")
        async with await enter(stack.ws_url, new_room()) as alice:
            await alice.say("not waiting")


def logged(stack: Stack, path: str) -> dict[str, object]:
    """The last line of the access log about this path."""
    lines = [json.loads(line) for line in stack.nginx.output().splitlines() if line.startswith("{")]
    found: dict[str, object] = [line for line in lines if line["path"] == path][-1]
    return found
