"""An answer is written by a worker while alice and bob read along in two processes, of which anything may be killed."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import contract
from client import Frame, Socket, dial, new_id
from servers.app import FOREIGN_APP, Image, Server, environment
from servers.postgres import Postgres
from servers.stack import SERVERS, Stack

SECONDS = 60.0  # for a program to start, or to be missed, on a machine that has other things to do


@pytest.fixture(scope="module")
def stack(image: Image, postgres: Postgres) -> Iterator[Stack]:
    """A process of each server."""
    with Stack(image, postgres, SERVERS, DRAIN_SECONDS="2", **FOREIGN_APP) as running:
        yield running


@pytest.fixture(autouse=True)
def mended(stack: Stack) -> Iterator[None]:
    yield
    stack.mend()


class Reader:
    """Somebody's socket in one topic, and the texts of events as the protocol says that they are put together."""

    def __init__(self, socket: Socket, topic: str) -> None:
        self.socket, self.topic = socket, topic
        self.gaps = 0

    @classmethod
    @asynccontextmanager
    async def of(cls, server: Server | Stack, topic: str, **position: Any) -> AsyncIterator["Reader"]:
        async with Socket(await dial(f"{server.ws_url}/ws/", subprotocols=["topics.v1"])) as socket:
            reader = cls(socket, topic)
            await socket.send({"type": "join", "topic": topic, **position})
            await socket.of_type("joined")
            yield reader

    @property
    def joined(self) -> Frame:
        return next(frame for frame in self.socket.frames if frame["type"] == "joined")

    @property
    def position(self) -> dict[str, Any]:
        return {"since": self.joined["seq"], "epoch": self.joined["epoch"]}

    def of_type(self, kind: str) -> list[Frame]:
        return [frame for frame in self.socket.frames if frame["type"] == kind]

    def said(self, seq: int, text: str = "") -> tuple[str, str]:
        """The event's text and status by now. `text` is what the reader had of it before."""
        status = "growing"
        self.gaps = 0
        for frame in self.socket.frames:
            for event in frame["events"] if frame["type"] == "joined" else [frame]:
                if event.get("about", event.get("seq")) != seq:
                    continue
                if event["type"] in {"event", "change"}:
                    text, status = event["data"]["text"], event["data"]["status"]
                elif event["type"] == "more" and event["at"] > len(text):
                    self.gaps += 1
                elif event["type"] == "more" and event["at"] + len(event["text"]) > len(text):
                    text = text[: event["at"]] + event["text"]
        return text, status

    async def reads(self, word: str, seq: int = 1, text: str = "") -> None:
        await self.socket.until(lambda _: word in self.said(seq, text)[0], f"the word {word!r}", SECONDS)

    async def ends(self, status: str, seq: int = 1, seconds: float = SECONDS) -> Frame:
        return await self.socket.until(
            lambda frame: frame["type"] == "change" and frame["about"] == seq and frame["data"]["status"] == status,
            f"the end {status!r}",
            seconds,
        )


class Worker:
    """A process that writes an answer."""

    def __init__(
        self, image: Image, env: dict[str, str], topic: str, words: int, pause: float = 0.02, until: Path | None = None
    ) -> None:
        arguments = ["answer", topic.removeprefix("answers/"), str(words), "--pause", str(pause)]
        arguments += ["--until", str(until)] if until else []
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", *arguments], cwd=image.app, env=env, stdout=subprocess.PIPE, text=True
        )

    def finished(self) -> str:
        output, _ = self.process.communicate(timeout=60)
        assert self.process.returncode == 0
        return output

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def answers() -> str:
    return f"answers/{new_id()}"


@pytest.fixture
def writes(stack: Stack, answers: str) -> Iterator[Any]:
    started: list[Worker] = []

    def write(words: int, pause: float = 0.02, until: Path | None = None) -> Worker:
        started.append(Worker(stack.image, stack.env, answers, words, pause, until))
        return started[-1]

    yield write
    for worker in started:
        worker.end()


def whole(words: int) -> str:
    return "".join(f"word{number} " for number in range(words))


# --- Reading along -----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, 1], ids=SERVERS)
async def test_an_answer_is_read_while_it_is_written(stack: Stack, answers: str, writes: Any, number: int) -> None:
    async with Reader.of(stack.ws[number], answers) as alice:
        writes(1_500, 0.002)
        await alice.ends("done")
        assert alice.said(1) == (whole(1_500), "done")
        assert alice.gaps == 0
        more = alice.of_type("more")
        assert 5 < len(more) < 750, "not word by word"
        growing = "".join(f["text"] for f in more)
        assert "word0 " in growing
        assert "word700 " in growing


async def test_a_second_tab_and_a_reload_have_it_so_far_and_then_the_rest(
    stack: Stack, answers: str, writes: Any, tmp_path: Path
) -> None:
    alices, bobs = stack.ws
    async with Reader.of(alices, answers) as alice:
        worker = writes(250, until=tmp_path / "go on")
        await alice.reads("word50 ")
        async with Reader.of(bobs, answers) as bob:
            [event] = bob.joined["events"]
            assert event["data"]["status"] == "growing"
            assert event["data"]["text"].startswith("word0 ")
            await bob.reads("word100 ")
            before = bob.said(1)[0]
        async with Reader.of(alices, answers, **bob.position) as again:
            assert again.joined["recovered"]
            (tmp_path / "go on").touch()
            await again.ends("done")
            assert again.said(1, before) == (whole(250), "done")
            assert again.gaps == bob.gaps == 0
        await alice.ends("done")
        assert "cancelled False" in worker.finished()


async def test_history_and_streams_have_it_so_far(stack: Stack, answers: str, writes: Any, tmp_path: Path) -> None:
    writes(200, until=tmp_path / "go on")
    url = f"{stack.base_url}/topics/{answers}"

    async def page() -> dict[str, Any]:
        curl = await asyncio.create_subprocess_exec("curl", "-s", url, stdout=subprocess.PIPE)
        return json.loads((await curl.communicate())[0])  # type: ignore[no-any-return]

    async with asyncio.timeout(SECONDS):
        while not (events := (await page())["events"]) or "word20 " not in events[0]["data"]["text"]:
            await asyncio.sleep(0.05)
    assert events[0]["data"]["status"] == "growing"
    curl = await asyncio.create_subprocess_exec(
        *("curl", "-sN", "-H", "Accept: text/event-stream", "-H", f"Last-Event-ID: {(await page())['epoch']}/1", url),
        stdout=subprocess.PIPE,
    )
    assert curl.stdout
    frames: list[Any] = []
    events = contract.Stream()
    async with asyncio.timeout(SECONDS):
        while not frames or frames[-1]["type"] != "change":
            if frame := events.take(await curl.stdout.readline()):
                frames.append(frame)
                if frame["type"] == "more":
                    (tmp_path / "go on").touch()
    curl.kill()
    await curl.wait()
    assert [frame["type"] for frame in frames[:3]] == ["welcome", "joined", "more"]
    assert frames[2]["at"] == 0
    assert "word20 " in frames[2]["text"]
    assert frames[-1]["data"] == {"text": whole(200), "status": "done", "by": "llm"}


# --- Stopping ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, 1], ids=SERVERS)
async def test_alice_stops_it(stack: Stack, answers: str, writes: Any, number: int) -> None:
    async with Reader.of(stack.ws[number], answers) as alice, Reader.of(stack.ws[1 - number], answers) as bob:
        worker = writes(5_000)
        await alice.reads("word20 ")
        await alice.socket.send({"type": "cancel", "topic": answers, "seq": 1})
        change = await alice.ends("cancelled")
        assert "word20 " in change["data"]["text"]
        assert await bob.ends("cancelled") == change
        assert "cancelled True" in await asyncio.to_thread(worker.finished)
        assert len(alice.of_type("change")) == 1


async def test_alice_stops_a_model_that_thinks(stack: Stack, answers: str, writes: Any) -> None:
    """The writer says nothing for a minute: the event has ended all the same."""
    async with Reader.of(stack, answers) as alice:
        writes(2, 60)
        await alice.reads("word0 ")
        await alice.socket.send({"type": "cancel", "topic": answers, "seq": 1})
        assert (await alice.ends("cancelled"))["data"]["text"] == "word0 "


# --- What dies ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, 1], ids=SERVERS)
async def test_a_worker_that_is_killed_is_missed(stack: Stack, answers: str, writes: Any, number: int) -> None:
    async with Reader.of(stack.ws[number], answers) as alice:
        worker = writes(5_000)
        await alice.reads("word50 ")
        worker.process.kill()
        change = await alice.ends("failed")
        assert "word20 " in change["data"]["text"]
        assert change["data"]["by"] == "llm"
        assert len(alice.of_type("change")) == 1


async def test_a_worker_that_is_silent_is_not_missed(stack: Stack, answers: str, writes: Any) -> None:
    async with Reader.of(stack, answers) as alice:
        worker = writes(2, 15)
        assert (await alice.ends("done", seconds=60))["data"]["text"] == whole(2)
        worker.finished()
        assert len(alice.of_type("change")) == 1


@pytest.mark.parametrize("number", [0, 1], ids=SERVERS)
@pytest.mark.parametrize("kill", [True, False], ids=["killed", "deployed"])
async def test_a_socket_process_goes_and_alice_comes_back_to_the_rest(
    stack: Stack, answers: str, writes: Any, number: int, kill: bool
) -> None:
    alices, others = stack.ws[number], stack.ws[1 - number]
    writes(400)
    async with Reader.of(alices, answers) as alice:
        await alice.reads("word30 ")
        before = alice.said(1)[0]
        await asyncio.to_thread(alices.kill if kill else alices.stop)
        await alice.socket.closed()
        since = max([alice.joined["seq"], *(event["seq"] for event in alice.of_type("event"))])
        epoch = alice.joined["epoch"] or next(event["epoch"] for event in alice.of_type("event"))
    async with Reader.of(others, answers, since=since, epoch=epoch) as again:
        await again.ends("done")
        assert again.said(1, before) == (whole(400), "done")
        assert again.gaps == 0


async def test_without_redis_it_is_stored_stopped_and_ended(stack: Stack, answers: str, writes: Any) -> None:
    async with Reader.of(stack.ws[0], answers) as alice:
        await asyncio.to_thread(stack.redis.kill)
        worker = writes(5_000)
        await alice.socket.of_type("event", SECONDS)
        async with Reader.of(stack.ws[1], answers) as bob:
            assert bob.joined["events"][0]["data"]["status"] == "growing"
            await bob.socket.send({"type": "cancel", "topic": answers, "seq": 1})
            change = await bob.ends("cancelled")
            assert await alice.ends("cancelled") == change
        assert "cancelled True" in await asyncio.to_thread(worker.finished)


async def test_without_a_database_for_a_moment_nothing_is_lost(stack: Stack, answers: str, writes: Any) -> None:
    async with Reader.of(stack.ws[0], answers) as alice:
        worker = writes(200)
        await alice.reads("word30 ")
        await asyncio.to_thread(stack.postgres.restart)
        assert (await alice.ends("done"))["data"]["text"] == whole(200)
        await asyncio.to_thread(worker.finished)


# --- A single process --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SERVERS)
async def test_on_sqlite_it_is_stored_and_missed_as_well(image: Image, kind: str, tmp_path: Any, answers: str) -> None:
    """A worker beside `make run`: it is not heard, but what it has stored is there."""
    env = environment(DATABASE_URL=f"sqlite:///{tmp_path}/db.sqlite3", WS_SERVER=kind, DRAIN_SECONDS="0", **FOREIGN_APP)
    image.migrate(env)
    server = image.ws("answers", env)
    server.start()
    one, other = Worker(image, env, answers, 50), None
    try:
        await asyncio.to_thread(one.finished)
        async with Reader.of(server, answers) as alice:
            assert alice.joined["events"][0]["data"] == {"text": whole(50), "status": "done", "by": "llm"}
            other = Worker(image, env, answers, 5_000)
            event = await alice.socket.until(
                lambda frame: frame["type"] == "event" and frame["seq"] == 3, "the event", SECONDS
            )
            assert event["data"]["status"] == "growing"
            other.process.kill()
            change = await alice.ends("failed", 3)
            assert change["data"]["text"].startswith("word0 ")
    finally:
        one.end()
        if other:
            other.end()
        server.stop()
