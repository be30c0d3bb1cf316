"""What Daphne and uvicorn, as realtime.serve starts them, do to applications and to clients."""

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from servers.small import Server, masked, takes_less_than, until_it_ends

MOST = 65_536
MEGABYTES = 1_024  # of the kernel's kB
SECONDS = 40
WINDOW = "DRAIN_SECONDS=80"  # whoever ends within SECONDS has not waited for its end


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Shared by the tests that harm nobody."""
    running = Server(request.param)
    running.start()
    yield running
    assert running.stop() == 0
    assert running.output().count("Traceback") == running.output().count("ArithmeticError: asked for")


# --- Frames --------------------------------------------------------------------------------------


@pytest.mark.parametrize("frame", ["hello", "你好 🍵", "", b"", b"\0\xff", "x" * MOST, bytes(MOST)])
async def test_what_alice_sends_comes_back_as_it_was(server: Server, frame: str | bytes) -> None:
    async with server.dial() as alice:
        await alice.send(frame)
        assert await alice.recv() == frame


@pytest.mark.parametrize("frame", ["x" * (MOST + 1), bytes(MOST + 1), bytes(64 * MOST), ["x" * MOST, "y"]])
async def test_one_byte_too_many_is_answered_1009(server: Server, frame: str | bytes | list[str]) -> None:
    async with server.dial() as alice:
        assert await close_code_after(alice, frame) == 1009


async def test_a_message_of_endless_empty_pieces_is_answered_1009(server: Server) -> None:
    async with server.dial() as alice:
        assert await close_code_after(alice, iter([""] * 5_000)) == 1009


async def test_text_that_is_no_utf8_is_answered_1007(server: Server) -> None:
    async with server.dial() as alice:
        await alice.send(b"fine: \xff", text=True)
        await alice.wait_closed()
        assert alice.close_code == 1007


def test_a_close_between_fragments_is_a_close(server: Server) -> None:
    begun, ended = b"\x01\x85" + bytes(4) + b"begun", masked(0, b"ended")
    with server.handshaken("/ws/echo/") as alice:
        alice.sendall(begun + masked(8, b"\x03\xe8") + ended)
        assert until_it_ends(alice) == b"\x88\x02\x03\xe8"


async def test_who_offers_compression_is_let_in_without_it(server: Server) -> None:
    async with connect(f"ws://127.0.0.1:{server.port}/ws/echo/") as alice:  # as browsers do
        await alice.send("hello")
        assert await alice.recv() == "hello"
        assert alice.protocol.extensions == []


async def test_a_full_inbox_does_not_cost_the_reason_of_a_close(server: Server) -> None:
    async with server.dial() as alice:
        for _ in range(40):
            alice.protocol.send_text(b"hello")
        alice.protocol.send_text(bytes(4 * MOST))
        alice.transport.write(b"".join(alice.protocol.data_to_send()))
        with contextlib.suppress(ConnectionClosed):
            while True:
                await alice.recv()
        assert alice.close_code == 1009


async def test_many_frames_at_once_keep_their_order(server: Server) -> None:
    frames = [os.urandom(size) for size in range(0, 9_000, 30)]
    async with server.dial() as alice:
        sending = asyncio.create_task(send_all(alice, frames))
        assert [await alice.recv() for _ in frames] == frames
        await sending


async def send_all(client: ClientConnection, frames: list[bytes]) -> None:
    for frame in frames:
        await client.send(frame)


async def close_code_after(client: ClientConnection, frame: object) -> int | None:
    with contextlib.suppress(ConnectionClosed):
        await client.send(frame)  # type: ignore[arg-type]
    await client.wait_closed()
    return client.close_code


# --- What applications may do ----------------------------------------------------------------------


async def test_an_application_says_why_it_closes(server: Server) -> None:
    async with server.dial("/why/") as alice:
        await alice.wait_closed()
        assert (alice.close_code, alice.close_reason) == (4408, "too slow, you know")


async def test_an_application_sets_cookies_and_knows_its_scheme(server: Server) -> None:
    async with server.dial("/cookie/") as alice:
        assert alice.response is not None
        assert alice.response.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
        assert await alice.recv() == "ws"


async def test_an_application_that_fails_at_the_door_is_a_500(server: Server) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        await server.dial("/fail/")
    assert refusal.value.response.status_code == 500


async def test_an_application_that_fails_later_closes_1011(server: Server) -> None:
    async with server.dial("/fail-later/") as alice:
        await alice.send("now")
        await alice.wait_closed()
        assert alice.close_code == 1011


async def test_an_application_that_returns_closes_the_socket(server: Server) -> None:
    async with server.dial("/leave/") as alice:
        await alice.wait_closed()
        assert alice.close_code == 1000


# --- Clients that harm -----------------------------------------------------------------------------


def test_a_client_that_reads_nothing_costs_little_memory(start: Callable[..., Server]) -> None:
    server = start()
    server.get()
    before = server.memory()
    with server.handshaken("/flood/"):
        assert server.most_memory(3) - before < 10 * MEGABYTES  # of the 200 that the application sends


async def test_a_client_that_reads_late_gets_all_of_it(start: Callable[..., Server]) -> None:
    server = start()
    async with server.dial("/flood/") as alice:
        received = [len(await asyncio.wait_for(alice.recv(), 60)) for _ in range(3_200)]
        assert set(received) == {MOST}


@pytest.mark.parametrize("size", [0, 4_096, MOST - 4_096])
def test_what_the_application_does_not_take_waits_in_the_client(start: Callable[..., Server], size: int) -> None:
    server = start()
    server.get()
    before = server.memory()
    with server.handshaken("/deaf/") as bob:
        assert takes_less_than(bob, 100, masked(2, bytes(size)) * (1_000_000 // (size + 6)))
        assert server.most_memory(1) - before < 10 * MEGABYTES


def test_pings_of_a_client_that_reads_nothing_do_not_add_up(start: Callable[..., Server]) -> None:
    server = start()
    server.get()
    before = server.memory()
    with server.handshaken("/deaf/") as bob:
        bob.settimeout(60)
        for _ in range(40):
            bob.sendall(masked(9, bytes(125)) * 8_000)
        assert server.most_memory(1) - before < 10 * MEGABYTES


def test_what_comes_before_the_answer_of_the_door_waits_in_the_client(start: Callable[..., Server]) -> None:
    server = start()
    server.get()
    before = server.memory()
    with server.handshaken("/slow/", status=None) as bob:
        assert takes_less_than(bob, 100, masked(2, bytes(4_096)) * 250)
        assert server.most_memory(1) - before < 12 * MEGABYTES


# --- Connections that fail -------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["write", "send"])
async def test_who_cannot_be_written_to_is_ended_and_nobody_else(start: Callable[..., Server], where: str) -> None:
    server = start()
    async with server.dial() as alice:
        before = server.descriptors()
        people = [await server.dial(f"/broken/{where}/") for _ in range(20)]
        for person in people:
            await person.send("break")
        await asyncio.gather(*(person.wait_closed() for person in people))
        await until(lambda: server.descriptors() <= before)  # who asked whether it is ready has left since
        await until(lambda: server.told() == 20)
        await alice.send("hello")
        assert await alice.recv() == "hello"
    assert server.output().count("failed: a connection") <= 1


async def test_who_cannot_be_checked_is_ended_and_the_check_goes_on(start: Callable[..., Server]) -> None:
    server = start()
    if server.kind == "daphne":  # uvicorn has a timer a socket instead
        people = [await server.dial("/broken/check/") for _ in range(3)]
        for person in people:
            await person.send("break")
        await asyncio.gather(*(person.wait_closed() for person in people))
        await until(lambda: server.told() == 3)


async def test_who_cannot_be_closed_does_not_keep_the_others_from_it(start: Callable[..., Server]) -> None:
    server = start()
    people = [await server.dial("/broken/close/"), await server.dial("/deaf/"), await server.dial("/broken/close/")]
    for person in people:
        await person.send("break")
    server.signal(signal.SIGINT)
    await asyncio.gather(*(person.wait_closed() for person in people))
    assert people[1].close_code == 1012
    assert await asyncio.to_thread(server.wait_end, SECONDS) == 0


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


# --- Leaving ---------------------------------------------------------------------------------------


async def test_sigterm_says_goodbye_to_everybody_and_ends_with_0(start: Callable[..., Server]) -> None:
    server = start(WINDOW)
    people = [await server.dial() for _ in range(50)]
    server.signal(signal.SIGTERM)
    await asyncio.gather(*(person.wait_closed() for person in people))
    assert {(person.close_code, person.close_reason) for person in people} == {(4501, "restart")}
    assert await asyncio.to_thread(server.wait_end, SECONDS) == 0
    assert "Traceback" not in server.output()


async def test_while_it_drains_nobody_new_gets_in_but_http_is_answered(start: Callable[..., Server]) -> None:
    server = start()
    with server.handshaken("/deaf/"):
        people = [await server.dial() for _ in range(200)]
        server.signal(signal.SIGTERM)
        await people[0].wait_closed()
        with pytest.raises(InvalidStatus) as refusal:
            await server.dial()
        assert refusal.value.response.status_code == 503
        assert refusal.value.response.body == b"draining"
        assert await asyncio.to_thread(server.get) == 200
        await asyncio.gather(*(person.wait_closed() for person in people))


async def test_sigterm_twice_is_like_once(start: Callable[..., Server]) -> None:
    server = start()
    people = [await server.dial() for _ in range(100)]
    server.signal(signal.SIGTERM)
    await people[0].wait_closed()
    server.signal(signal.SIGTERM)
    await asyncio.gather(*(person.wait_closed() for person in people))
    assert {person.close_code for person in people} == {4501}
    assert await asyncio.to_thread(server.wait_end, SECONDS) == 0


async def test_a_client_that_does_not_answer_does_not_keep_the_process(start: Callable[..., Server]) -> None:
    server = start()
    with server.handshaken("/ws/echo/"), server.handshaken("/flood/"):
        server.signal(signal.SIGTERM)
        assert await asyncio.to_thread(server.wait_end, SECONDS) == 0
    assert "Traceback" not in server.output()


async def test_a_request_under_way_is_finished(start: Callable[..., Server]) -> None:
    server = start()
    slow = asyncio.create_task(asyncio.to_thread(server.get, "/slow"))
    await until(lambda: server.begun() == 1)
    server.signal(signal.SIGTERM)
    assert await slow == 200
    assert await asyncio.to_thread(server.wait_end, SECONDS) == 0


async def test_sigint_ends_it_at_once(start: Callable[..., Server]) -> None:
    server = start(WINDOW)
    people = [await server.dial() for _ in range(20)]
    server.get()
    server.signal(signal.SIGINT)
    assert await asyncio.to_thread(server.wait_end, SECONDS) == 0
    await asyncio.gather(*(person.wait_closed() for person in people))
    assert {person.close_code for person in people} == {1012}
    assert server.output() == ""


async def test_sigint_ends_a_drain(start: Callable[..., Server]) -> None:
    server = start(WINDOW)
    with server.handshaken("/ws/echo/"):
        people = [await server.dial() for _ in range(100)]
        server.signal(signal.SIGTERM)
        await people[0].wait_closed()
        server.signal(signal.SIGINT)
        assert await asyncio.to_thread(server.wait_end, SECONDS) == 0
    assert "Traceback" not in server.output()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_during_start_up_ends_it(start: Callable[..., Server], number: int) -> None:
    server = start("slow start", wait=False)
    deadline = time.monotonic() + SECONDS
    while not is_bound(server.port):
        assert time.monotonic() < deadline, server.output()
        time.sleep(0.02)
    server.signal(number)
    assert server.wait_end(SECONDS) == 0
    assert server.output() == ""


def is_bound(port: int) -> bool:
    """Taken, though nobody listens yet."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


def test_a_taken_port_is_one_sentence(start: Callable[..., Server]) -> None:
    server = Server("daphne")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", server.port))
        taken.listen()
        server.launch()
        assert server.wait_end(SECONDS) == 1
    assert server.output() == (
        f"Port {server.port} on 127.0.0.1 cannot be had (Address already in use): free it, or set PORT and HOST.\n"
    )
