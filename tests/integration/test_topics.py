"""Topics in the whole stack: what docs/topics.md says, on Postgres, through nginx, by a stream that nobody reads."""

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import contract
import first_topic
from client import Socket, dial, new_id
from documented import DOCS, with_first_topic
from integration.test_run import Terminal, clone_into, make
from servers.app import FOREIGN_APP, Image, Server, environment
from servers.ports import free_port
from servers.postgres import Postgres
from servers.stack import SERVERS, Stack

TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def stack(image: Image, postgres: Postgres) -> Iterator[Stack]:
    """A process of each server, with the foreign app."""
    with Stack(image, postgres, SERVERS, **FOREIGN_APP) as running:
        yield running


def get(url: str, **headers: str) -> Any:
    request = urllib.request.Request(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    return urllib.request.urlopen(request, timeout=60)


def post(url: str, body: Any) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def heard(stream: Any, kind: str) -> dict[str, Any]:
    """The next frame of that kind in the stream, with its position."""
    position, events = None, contract.Stream()
    for line in stream:
        if line.startswith(b"id: "):
            position = line[4:].decode().strip()
        if (frame := events.take(line)) and frame["type"] == kind:
            return {**frame, "position": position}
    raise AssertionError(f"the stream ended before a frame {kind!r}")


@pytest.mark.timeout(1_800)  # all of them: it is a minute on a machine that does nothing else
def test_what_several_writers_do_to_each_other_is_in_order_on_postgres(postgres: Postgres) -> None:
    """The unit tests of topics with Postgres below them."""
    url = postgres.create_database(f"unit-{new_id()}")
    env = {**os.environ, "DATABASE_URL": url, "UNIT_DATABASE_URL": url}
    options = ["-q", "-p", "no:cacheprovider", "--hypothesis-profile=few"]
    command = [sys.executable, "-m", "pytest", *options, str(TESTS / "unit" / "topics")]
    done = subprocess.run(command, env=env, capture_output=True, text=True, cwd=TESTS.parent)
    assert done.returncode == 0, done.stdout[-5_000:]
    assert "deselected" not in done.stdout


# --- What the page says ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def documented() -> Image:
    return with_first_topic()


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with the first topic of the page."""
    clone = clone_into(tmp_path_factory.mktemp("clone"))
    first_topic.install(clone / "app")
    return clone


def test_the_first_topic_of_the_page_works_by_make_run_and_its_events_outlive_that(clone: Path) -> None:
    port = free_port()
    site = f"http://localhost:{port}"
    for seq, kind in enumerate(SERVERS, 1):
        terminal = Terminal(clone, port, WS_SERVER=kind)
        terminal.shows(site)
        with first_topic.followed(site) as frames:
            assert first_topic.voted(site, "pizza")["seq"] == seq
            event = next(frame for frame in frames if frame["type"] == "event")
            assert (event["seq"], event["data"]) == (seq, "pizza")
        assert first_topic.voted(site, "stone")["detail"] == "There is pizza and pasta."
        assert terminal.press_ctrl_c() == 0
    assert "1 topics with 2 events" in make(clone, "manage", "ARGS=topics").stdout


def sample(marker: str) -> str:
    """The page's only program that has these words."""
    [program] = [found for found in re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL) if marker in found]
    return str(program)


def test_the_pages_client_works(documented: Image, tmp_path: Path) -> None:
    env = environment(DATABASE_URL=f"sqlite:///{tmp_path}/db.sqlite3", DRAIN_SECONDS="0", DEBUG="1")
    documented.migrate(env)
    server = documented.ws("client", env)
    server.start()
    try:
        [command] = re.findall(r"^cd app && \S+ (-m topics.client .*)$", DOCS, re.MULTILINE)
        elsewhere = {"PATH": os.environ["PATH"], "PYTHONPATH": str(documented.app), "PYTHONUNBUFFERED": "1"}
        program = sample("topics.client import").replace("localhost:8000", f"127.0.0.1:{server.port}")
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=elsewhere) as bot:
            assert bot.stdout
            assert bot.stdout.readline() == "refused There is pizza and pasta.\n"
            assert bot.stdout.readline().startswith("1 ")
            by_hand = [sys.executable, *command.replace("localhost:8000", f"127.0.0.1:{server.port}").split()]
            subprocess.run(by_hand, input="pasta\n", text=True, check=True, capture_output=True, env=elsewhere)
            assert bot.stdout.readline().endswith(" pasta\n")
            bot.kill()
    finally:
        server.stop()


def test_the_pages_tests_pass(documented: Image, postgres: Postgres) -> None:
    (documented.app / "votes" / "tests.py").write_text(sample("topics.testing import"))
    for url in ("sqlite://:memory:", postgres.create_database(f"documented-{new_id()}")):
        documented.manage("test", "votes", "--noinput", env=environment(DATABASE_URL=url, DEBUG="1"))


# --- Over two processes and through nginx ------------------------------------------------------------


async def test_an_event_from_anywhere_is_heard_everywhere(stack: Stack) -> None:
    topic = f"votes/open-{new_id()}"
    sockets = [Socket(await dial(f"{ws.ws_url}/ws/", subprotocols=["topics.v1"])) for ws in stack.ws]
    for member in sockets:
        await member.send({"type": "join", "topic": topic})
        await member.of_type("joined")
    with await asyncio.to_thread(get, f"{stack.base_url}/topics/{topic}", Accept="text/event-stream") as stream:
        await asyncio.to_thread(heard, stream, "joined")
        await sockets[0].send({"type": "send", "topic": topic, "id": "socket", "data": {"option": "pizza"}})
        await asyncio.to_thread(post, f"{stack.base_url}/topics/{topic}", {"id": "http", "data": {"option": "pasta"}})
        shell = f"from apps.polls.topics import Votes; Votes(poll={topic.partition('/')[2]!r}).append(3, id='shell')"
        await asyncio.to_thread(stack.manage, "shell", "--command", shell)
        expected = {"socket", "http", "shell"}
        for member in sockets:
            for id in expected:
                await member.until(lambda frame, id=id: frame["type"] == "event" and frame["id"] == id, f"event {id}")
            events = [frame for frame in member.frames if frame["type"] == "event"]
            assert [event["seq"] for event in events] == [1, 2, 3]
        streamed = [await asyncio.to_thread(heard, stream, "event") for _ in range(3)]
    assert [event["seq"] for event in streamed] == [1, 2, 3]
    page = json.load(await asyncio.to_thread(get, f"{stack.base_url}/topics/{topic}"))
    assert {event["id"] for event in page["events"]} == expected
    for member in sockets:
        await member.leave()


def test_a_stream_goes_on_behind_the_last_id(stack: Stack) -> None:
    topic = f"{stack.base_url}/topics/votes/open-{new_id()}"
    post(topic, {"data": {"option": "pizza"}})
    with get(topic, Accept="text/event-stream") as stream:
        position = heard(stream, "joined")["position"]
    for _ in range(3):
        post(topic, {"data": {"option": "pasta"}})
    with get(topic, Accept="text/event-stream", Last_Event_ID=position) as stream:
        joined = heard(stream, "joined")
    assert joined["recovered"]
    assert [event["seq"] for event in joined["events"]] == [2, 3, 4]


@pytest.mark.parametrize("number", [0, 1], ids=SERVERS)
async def test_a_stream_that_nobody_reads_costs_its_process_little(stack: Stack, number: int) -> None:
    """40 MB of events: what is not taken is read from the log later, and is not kept for it."""
    server, topic = stack.ws[number], f"cursors/deaf-{new_id()}"
    with socket.create_connection(("127.0.0.1", server.port)) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        head = f"GET /topics/{topic} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
        deaf.sendall(head.encode())
        assert b" 200 " in deaf.recv(64)
        before = memory(server)
        shell = (
            "from apps.polls.topics import Cursors\n"
            f"for n in range(800): Cursors(page={topic.partition('/')[2]!r}).append('x' * 50_000)"
        )
        await asyncio.to_thread(stack.manage, "shell", "--command", shell)
        member = Socket(await dial(f"{server.ws_url}/ws/", subprotocols=["topics.v1"]))
        await member.send({"type": "join", "topic": topic})
        assert (await member.of_type("joined"))["seq"] == 800
        await member.leave()
        assert memory(server) - before < 30 * 2**20


def memory(server: Server) -> int:
    """Resident bytes."""
    lines = Path(f"/proc/{server.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))
