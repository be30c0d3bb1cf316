"""Large bodies, and the other people whose requests come over the same connections between nginx and gunicorn."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from client import new_room
from realtime.limits import MAX_BODY_BYTES
from servers.stack import Stack
from visitor import Visitor, room_page

ROUNDS = 12
SENDERS = 4


def send(base: str, size: int, path: str = "/room/lobby/") -> int:
    """The status for a body that no view reads."""
    return Visitor(base).post_raw(path, b"x" * size, Content_Type="text/plain").status


@pytest.mark.parametrize(
    ("path", "status", "size"),
    [
        *(("/room/lobby/", 403, size) for size in (1_000, 66_000, MAX_BODY_BYTES)),
        *((path, status, 100_000) for path, status in [("/no/where", 404), ("/static/x", 404), ("/health/live", 200)]),
    ],
)
def test_bodies_that_nobody_reads_break_no_other_persons_form(stack: Stack, path: str, status: int, size: int) -> None:
    alice, room = Visitor(stack.base_url), room_page(new_room())
    alice.get(room)
    statuses = []
    with ThreadPoolExecutor(SENDERS + 1) as mallory:
        for number in range(ROUNDS):
            sent = [mallory.submit(send, stack.base_url, size, path) for _ in range(SENDERS)]
            said = mallory.submit(alice.post, room, {"body": f"hello {number}"})
            assert {each.result() for each in sent} == {status}
            statuses += [said.result().status, alice.get(room).status]
    assert statuses == [303, 200] * ROUNDS


def test_nginx_refuses_what_is_larger_than_the_servers_take(stack: Stack) -> None:
    assert send(stack.base_url, MAX_BODY_BYTES + 1) == 413


def test_gunicorn_alone_refuses_it_too_and_serves_others(stack: Stack) -> None:
    with ThreadPoolExecutor(SENDERS) as mallory:
        for _ in range(ROUNDS):
            sent = [mallory.submit(too_much, stack.web.port) for _ in range(SENDERS)]
            assert Visitor(stack.web.url).get("/").status == 200
            assert {each.result() for each in sent} == {413}


def too_much(port: int) -> int:
    """The status for a body that is announced, and never sent."""
    head = f"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {MAX_BODY_BYTES + 1}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=60) as mallory:
        mallory.sendall(head.encode())
        return int(mallory.recv(100).split()[1])


def test_a_form_in_chunks_is_a_form(stack: Stack) -> None:
    alice, path = Visitor(stack.web.url), room_page(new_room())
    alice.get(path)
    body = b"csrfmiddlewaretoken=" + b"a" * 32
    request = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{stack.web.port}\r\nConnection: close\r\n"
        f"Cookie: csrftoken={'a' * 32}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", stack.web.port), timeout=60) as somebody:
        somebody.sendall(request.encode() + f"{len(body):x}\r\n".encode() + body + b"\r\n8\r\n&body=hi\r\n0\r\n\r\n")
        assert somebody.recv(100).split()[1] == b"303"
