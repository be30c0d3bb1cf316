"""Something is full: the disk under Postgres, its connections, Redis' memory, its connections.

Alice's socket is Daphne's and bob's uvicorn's. Nobody is told that something is stored which is not, who only reads
goes on, and once there is room everybody speaks: nothing is started anew but what a container's engine starts.
"""

import asyncio
import os
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from time import monotonic

import psycopg
import pytest
import redis

from client import Frame, Socket, enter, meet, new_id, new_room
from integration.test_doctor import doctor
from integration.test_faults import seconds_to_hear
from integration.test_writable import all_are
from servers.app import Image
from servers.postgres import Postgres
from servers.redis import PASSWORD, Redis
from servers.stack import SERVERS, Stack
from visitor import Visitor, room_page

SECONDS = 120
CONFIGURATION = Path(__file__).parents[2] / "docker" / "redis" / "redis.conf"
LONG = "long " * 200  # a few of which take a page of the database


@pytest.fixture(scope="module")
def disk() -> Iterator[Path | None]:
    """One of a size of its own, which only root may mount."""
    if os.getuid() != 0:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="disk-") as folder:
        # Readable for Postgres, who is another user.
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m,mode=755", "tmpfs", folder], check=True)
        Path(folder).chmod(0o755)
        yield Path(folder)
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture(scope="module")
def stack(image: Image, disk: Path | None) -> Iterator[Stack]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(disk or tempfile.gettempdir()))
        cluster = Postgres()
    cluster.start()
    with Stack(image, cluster, SERVERS, WEB_CONCURRENCY="1") as running:
        yield running
    cluster.stop()


@contextmanager
def filled(disk: Path | None) -> Iterator[None]:
    """A file that takes everything."""
    if disk is None:
        pytest.skip("only root may mount a disk of a size of its own")
    rest = disk / "rest"
    try:
        with rest.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(4096)):
                pass
        yield
    finally:
        rest.unlink()


# --- The disk under Postgres -------------------------------------------------------------------------


async def test_with_a_full_disk_who_says_something_is_refused_and_who_reads_goes_on(
    stack: Stack, disk: Path | None
) -> None:
    room, visitor = new_room(), Visitor(stack.base_url)
    async with await enter(stack.ws[0].ws_url, room) as alice, await enter(stack.ws[1].ws_url, room) as bob:
        await meet(alice, bob)
        stored = [(await alice.say("while there is room"))["id"]]
        with filled(disk):
            while (answer := await answered(alice, LONG))["type"] == "ack":
                stored.append(answer["id"])
            assert answer["code"] == "unavailable"
            assert answer["retry_after_ms"]
            await all_are(503, stack)
            assert {process.health("live") for process in stack.application} == {200}
            assert (await asyncio.to_thread(visitor.post, room_page(room), {"body": LONG})).status == 503
            assert (await asyncio.to_thread(visitor.get, room_page(room))).status == 200
            async with await enter(stack.ws[1].ws_url, room) as carol:
                assert [message["id"] for message in carol.messages()] == stored[-len(carol.messages()) :]
                await meet(carol, alice)
                await carol.send({"type": "typing"})
                await alice.until(lambda frame: frame["type"] == "typing", "carol typing")
            doctor(stack.image, stack.env).leads_to("database takes writes", "The disk of the database is full.")
        await all_are(200, stack)
        await alice.say(LONG, id=answer["id"])
        await bob.until(lambda frame: frame.get("id") == answer["id"], "what was refused at first")
        assert [id for _, id, _ in stack.database.messages(room)] == [*stored, answer["id"]]
        assert [message["id"] for message in bob.messages()] == [*stored, answer["id"]]
    assert "No space left on device" in stack.ws[0].output()
    for process in stack.application:
        assert "readiness: Postgres: DiskFull" in process.output()
        assert "Traceback" not in process.output()


async def answered(person: Socket, body: str) -> Frame:
    """What became of it: `ack` or `error`."""
    id = new_id()
    await person.send({"type": "message", "id": id, "body": body})
    return await person.until(lambda frame: frame.get("id") == id and frame["type"] in ("ack", "error"), "an answer")


async def test_a_postgres_that_has_died_of_a_full_disk_comes_back_by_itself(stack: Stack, disk: Path | None) -> None:
    """Without room for its log of writes it ends, and again at every start: an engine starts it anew."""
    room = new_room()
    async with await enter(stack.ws[0].ws_url, room) as alice, await enter(stack.ws[1].ws_url, room) as bob:
        await alice.say("before")
        with filled(disk):
            with psycopg.connect(stack.database.url, autocommit=True) as other, suppress(psycopg.OperationalError):
                while True:
                    other.execute("SELECT pg_logical_emit_message(false, 'noise', repeat('x', 1000000))")
            await until(lambda: not stack.postgres.alive, "Postgres giving up")
            assert "PANIC" in stack.postgres.output()
            stack.postgres.launch()
            await until(lambda: not stack.postgres.alive, "Postgres giving up again")
            assert (await answered(alice, "into the wall"))["code"] == "unavailable"
        stack.postgres.start()
        await all_are(200, stack)
        await alice.say("after")
        await bob.hears("after")
        assert bob.bodies() == ["before", "after"]


async def until(true: Callable[[], bool], what: str) -> None:
    deadline = monotonic() + SECONDS
    while not await asyncio.to_thread(true):
        assert monotonic() < deadline, what
        await asyncio.sleep(0.05)


# --- Connections to Postgres -------------------------------------------------------------------------


async def test_while_others_have_all_connections_of_postgres_sockets_stay_and_pages_say_so(stack: Stack) -> None:
    room, visitor = new_room(), Visitor(stack.base_url)
    async with await enter(stack.ws[0].ws_url, room) as alice, await enter(stack.ws[1].ws_url, room) as bob:
        await meet(alice, bob)
        await alice.say("before")
        with taken(stack):
            assert (await answered(alice, "into the wall"))["code"] == "unavailable"
            await all_are(503, stack)
            assert {process.health("live") for process in stack.application} == {200}
            pages = [await asyncio.to_thread(visitor.get, room_page(room)) for _ in range(3)]
            assert {page.status for page in pages} == {503}
            assert "Try again in a moment" in pages[0].text
            await bob.send({"type": "typing"})
            await alice.until(lambda frame: frame["type"] == "typing", "bob typing")
            doctor(stack.image, stack.env).leads_to("database answers", "too many clients", "pg_stat_activity")
        await all_are(200, stack)
        await alice.say("after")
        await bob.hears("after")
        assert bob.bodies() == ["before", "after"]
    said = stack.web.output_since_mark()
    assert said.count("pages are refused, as the database fails: ") == 1
    assert "too many clients" in said
    assert "Traceback" not in said


@contextmanager
def taken(stack: Stack) -> Iterator[None]:
    """Another program has opened all that there are, those of the servers too."""
    with ExitStack() as held:
        left = True
        while left:
            with suppress(psycopg.OperationalError):
                while True:
                    another = psycopg.connect(stack.database.url, autocommit=True, application_name="greedy")
                    held.enter_context(another)
            left = bool(another.execute(END_THE_OTHERS).fetchall())
        yield


END_THE_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND application_name <> 'greedy'
"""


# --- Redis -------------------------------------------------------------------------------------------


async def test_a_redis_without_memory_carries_all_the_same(stack: Stack) -> None:
    """It refuses to store, and nothing of this site is stored there."""
    room = new_room()
    async with await enter(stack.ws[0].ws_url, room) as alice, await enter(stack.ws[1].ws_url, room) as bob:
        await meet(alice, bob)
        with redis.Redis.from_url(stack.redis.url) as operator:
            operator.config_set("maxmemory", "1mb")
            try:
                with pytest.raises(redis.exceptions.OutOfMemoryError):
                    operator.set("another", "application's")
                await bob.send({"type": "typing"})
                await alice.until(lambda frame: frame["type"] == "typing", "bob typing")
                await soon_hears(alice, bob)
                assert {process.health() for process in stack.application} == {200}
            finally:
                operator.config_set("maxmemory", "0")


async def test_while_redis_lets_nobody_in_words_come_by_the_log_and_then_fast_again(stack: Stack) -> None:
    room = new_room()
    async with await enter(stack.ws[0].ws_url, room) as alice, await enter(stack.ws[1].ws_url, room) as bob:
        await meet(alice, bob)
        with redis.Redis.from_url(stack.redis.url, single_connection_client=True) as operator:
            operator.config_set("maxclients", 1)
            try:
                for kind in ("pubsub", "normal"):
                    operator.client_kill_filter(_type=kind, skipme=True)
                for body in ("first", "second"):
                    await alice.say(body)
                    await bob.hears(body)
                await until(lambda: all(DOES_NOT_ANSWER in each.output_since_mark() for each in stack.ws), "a line")
                assert {process.health() for process in stack.application} == {200}
            finally:
                operator.config_set("maxclients", 10_000)
        await soon_hears(alice, bob)
        assert [message["seq"] for message in bob.messages()] == list(range(1, len(bob.messages()) + 1))
    for process in stack.ws:
        await until(lambda process=process: "answers again" in process.output_since_mark(), "a line")  # type: ignore[misc]
        assert process.output_since_mark().count(DOES_NOT_ANSWER) == 1
        assert "Traceback" not in process.output_since_mark()


DOES_NOT_ANSWER = "does not answer: "


async def soon_hears(alice: Socket, bob: Socket) -> None:
    """By Redis, and not by the log: that takes two seconds."""
    async with asyncio.timeout(SECONDS):
        while await seconds_to_hear(alice, bob) > 1:
            pass


def test_subscribers_that_read_nothing_do_not_fill_the_memory_of_the_stacks_redis() -> None:
    server = Redis()
    server.command[1:1] = [str(CONFIGURATION)]
    server.command += ["--aclfile", ""]
    server.start()
    try:
        stalled = [subscribed(server) for _ in range(12)]
        with redis.Redis.from_url(server.url) as speaking, speaking.pubsub() as listening:
            listening.subscribe("words")
            for number in range(200):
                speaking.publish("words", f"{number}".ljust(200_000))
                while (heard := listening.get_message(timeout=SECONDS)) and heard["type"] != "message":
                    pass
                assert heard
                assert int(heard["data"]) == number
            memory = speaking.info("memory")
        assert memory["used_memory_peak"] < memory["maxmemory"]
        for each in stalled:
            each.close()
    finally:
        server.kill()


def subscribed(server: Redis) -> socket.socket:
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    line.connect(("127.0.0.1", server.port))
    line.sendall(f"AUTH {PASSWORD}\r\nSUBSCRIBE words\r\n".encode())
    return line
