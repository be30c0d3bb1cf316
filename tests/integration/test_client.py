"""The Python client against the real servers, and its program in a terminal: alice at hers, bob at his."""

import asyncio
import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from client import new_id
from servers.app import FOREIGN_APP, Image, Server, environment
from servers.stack import SERVERS
from topics.client import Closed, Event, JoinedTopic, Presence, Refused, Reset, Signal, connect
from topics.client.login import log_in

SECONDS = 60
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest, image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One process with the foreign app, on SQLite, where alice has an account."""
    env = environment(
        DATABASE_URL=f"sqlite:///{tmp_path_factory.mktemp('client')}/db.sqlite3",
        WS_SERVER=request.param,
        DRAIN_SECONDS="1",
        MESSAGE_RATE="20",
        **FOREIGN_APP,
    )
    image.migrate(env)
    image.manage("shell", "--command", f"User.objects.create_user('alice', password={PASSWORD!r})", env=env)
    running = image.ws(f"client {request.param}", env)
    running.start()
    running.image, running.environment = image, env  # type: ignore[attr-defined]
    yield running
    running.stop()


def shell(server: Any, command: str) -> None:
    server.image.manage("shell", "--command", command, env=server.environment)


def poll() -> str:
    return f"votes/open-{new_id()}"


async def takes(topic: JoinedTopic, count: int) -> list[Any]:
    """So many events; everything else counts for nothing."""
    found: list[Any] = []
    async with asyncio.timeout(SECONDS):
        async for event in topic:
            found.append(event)
            if len(found) == count:
                break
    return found


async def hears(topic: JoinedTopic, kind: type) -> Any:
    async with asyncio.timeout(SECONDS):
        async for news in topic.everything():
            if isinstance(news, kind):
                return news


async def test_alice_and_bob_hear_each_other(server: Server) -> None:
    name = f"cursors/{new_id()}"
    async with connect(server.ws_url) as alice, connect(server.ws_url) as bob:
        hers, his = await alice.join(name), await bob.join(name)
        presence = await hears(hers, Presence)
        assert [person.key for person in presence.joined] == [bob.you.key]
        assert set(his.members) == {alice.you.key, bob.you.key}
        await hers.signal({"x": 1})
        assert await hears(his, Signal) == Signal(alice.you, {"x": 1})
        topic = poll()
        hers, his = await alice.join(topic), await bob.join(topic)
        ack = await hers.send({"option": "pizza"}, id="a")
        [event] = await takes(his, 1)
        assert event == Event(1, "a", ack.at, alice.you, {"option": "pizza"}, his.epoch)
        assert await his.read(0) == 1
        assert await his.read(1) == 0
        again = await alice.send(topic, {"option": "pizza"}, id="a")
        assert (again.seq, again.at) == (ack.seq, ack.at)
        with pytest.raises(Refused) as refused:
            await alice.send(topic, {"option": "pasta"}, id="a")
        assert refused.value.code == "conflict"
        with pytest.raises(Refused, match="unknown option"):
            await alice.send(topic, {"option": "stone"})
        with pytest.raises(Refused) as refused:
            await alice.join("inbox/1")
        assert refused.value.code == "no_such_topic"
        with pytest.raises(Refused) as refused:
            await alice.send("votes/closed", {"option": "pizza"})
        assert refused.value.code == "forbidden"


async def test_more_than_a_person_may_send_waits_and_arrives(server: Server) -> None:
    async with connect(server.ws_url) as alice:
        topic = await alice.join(poll())
        async with asyncio.timeout(60):
            acks = await asyncio.gather(*(topic.send({"option": "pizza"}) for _ in range(80)))
        assert sorted(ack.seq or 0 for ack in acks) == list(range(1, 81))
        assert [event.seq for event in await takes(topic, 80)] == list(range(1, 81))


async def test_what_nobody_took_for_long_comes_all_the_same(server: Server) -> None:
    name = poll()
    async with connect(server.ws_url) as alice:
        topic = await alice.join(name)
        append = f"for n in range(1_500): Votes(poll={name.partition('/')[2]!r}).append(n)"
        await asyncio.to_thread(shell, server, f"from apps.polls.topics import Votes\n{append}")
        assert [event.data for event in await takes(topic, 1_500)] == list(range(1_500))


async def test_a_position_that_was_kept_goes_on_over_a_restart(server: Server) -> None:
    name = poll()
    async with connect(server.ws_url, longest_pause=0.2) as alice:
        topic = await alice.join(name)
        await topic.send({"option": "pizza"})
        await takes(topic, 1)
        epoch, since = topic.position
        sending = [asyncio.create_task(topic.send({"option": "pasta"})) for _ in range(20)]
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        async with asyncio.timeout(SECONDS):
            await asyncio.gather(*sending)
        assert [event.seq for event in await takes(topic, 20)] == list(range(2, 22))
    async with connect(server.ws_url) as alice:
        topic = await alice.join(name, since=since, epoch=epoch)
        assert [event.seq for event in await takes(topic, 20)] == list(range(2, 22))
        await topic.leave()
        topic = await alice.join(name, since=5, epoch="another")
        assert await hears(topic, Reset) == Reset(epoch, 21)


async def test_a_deploy_is_a_goodbye_and_a_return(server: Server) -> None:
    states: list[str] = []
    async with connect(server.ws_url, longest_pause=0.2, on_state=states.append) as alice:
        topic = await alice.join(poll())
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
        await topic.send({"option": "pizza"})
        assert len(await takes(topic, 1)) == 1
    assert states == ["online", "offline", "online"]


async def test_a_server_that_stands_still_is_left_and_found_again(server: Server) -> None:
    states: list[str] = []
    async with connect(server.ws_url, silence=3, longest_pause=0.2, on_state=states.append) as alice:
        topic = await alice.join(poll())
        server.pause()
        async with asyncio.timeout(SECONDS):
            while "offline" not in states:
                await asyncio.sleep(0.05)
        server.resume()
        await topic.send({"option": "pizza"})
        assert len(await takes(topic, 1)) == 1


async def test_who_logs_out_is_told_that_it_is_over(server: Server) -> None:
    with pytest.raises(Refused, match="does not let alice in"):
        await asyncio.to_thread(log_in, server.ws_url, "alice", "wrong")
    cookies = await asyncio.to_thread(log_in, server.ws_url, "alice", PASSWORD)
    async with connect(server.ws_url, cookies=cookies) as alice:
        assert (alice.you.name, alice.you.guest) == ("alice", False)
        topic = await alice.join(poll())
        await asyncio.to_thread(
            shell, server, "from django.contrib.sessions.models import Session; Session.objects.all().delete()"
        )
        with pytest.raises(Closed) as closed:
            await hears(topic, Reset)
        assert closed.value.code == "login_required"


# --- The program -------------------------------------------------------------------------------------


def program(server: Server, *arguments: str, **variables: str) -> tuple[list[str], dict[str, str]]:
    """Without Django's settings, as anybody elsewhere runs it."""
    app = Path(__file__).parents[2] / "app"
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(app), "TERM": "xterm", "LANG": "C.UTF-8", **variables}
    return [sys.executable, "-m", "topics.client", *arguments], env


def run(server: Server, *arguments: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
    command, env = program(server, *arguments)
    return subprocess.run(command, env=env, input=typed, capture_output=True, text=True, timeout=SECONDS)


def test_in_a_pipe_it_sends_what_comes_and_ends_with_it(server: Server) -> None:
    topic = poll()
    done = run(server, server.url, topic, typed='{"option": "pizza"}\n\n')
    assert (done.returncode, "\x1b" in done.stdout) == (0, False)
    assert re.fullmatch(r'#1 \d\d:\d\d:\d\d \w+ \d+ \{"option":"pizza"\}\n', done.stdout)
    refused = run(server, server.url, topic, typed='"stone"\n{"option": "pasta"}\n')
    assert (refused.returncode, "Refused: unknown option" in refused.stderr) == (1, True)
    as_json = run(server, "--json", "--since", "1", server.url, topic, typed='{"option": "pizza"}\n')
    events = [frame for line in as_json.stdout.splitlines() if (frame := json.loads(line))["type"] == "event"]
    assert [(event["seq"], event["data"]["option"]) for event in events] == [(2, "pasta"), (3, "pizza")]


def test_without_any_input_it_follows_until_it_is_interrupted(server: Server) -> None:
    topic = poll()
    command, env = program(server, server.url, topic, PYTHONUNBUFFERED="1")
    pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=env, text=True, **pipes) as following:
        assert "You are" in following.stderr.readline()
        run(server, server.url, topic, typed='{"option": "pizza"}\n')
        line = following.stdout.readline()
        while "#1" not in line:
            line = following.stdout.readline()
        following.send_signal(signal.SIGINT)
        assert following.wait(SECONDS) == 0
        assert "Traceback" not in following.stderr.read()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{url}", "inbox/1"], "There is no such topic for you."),
        (["ws://127.0.0.1:1", "votes/lunch"], "Nobody listens at 127.0.0.1:1"),
        (["ws://nowhere.invalid", "votes/lunch"], "There is no host 'nowhere.invalid'"),
        (["{url}/ws/room/lobby/", "votes/lunch"], "does not speak topics.v1"),
        (["{url}/health/live", "votes/lunch"], "topics are at /ws/"),
        (["localhost:8000", "votes/lunch"], "is not an address"),
        (["--cookie", "sessionid", "{url}", "votes/lunch"], "is not NAME=VALUE"),
        (["--since", "now", "{url}", "votes/lunch"], "is not a number"),
        (["--token-file", "/nowhere", "{url}", "votes/lunch"], "/nowhere"),
    ],
)
def test_what_goes_wrong_is_a_sentence(server: Server, arguments: list[str], sentence: str) -> None:
    done = run(server, *(argument.format(url=server.url) for argument in arguments))
    assert done.returncode in {1, 2}
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


class Terminal:
    """The program in a terminal: `text` is all that it has shown."""

    def __init__(self, server: Server, *arguments: str, then: str = "", **variables: str) -> None:
        command, env = program(server, *arguments, **variables)
        command = ["bash", "-c", f"{shlex.join(command)}; {then}"] if then else command
        self.text = ""
        self.pid, self.screen = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, env)

    def shows(self, words: str) -> None:
        """Behind what was asked for before."""
        deadline = time.monotonic() + SECONDS
        while words not in self.text:
            assert self.read(), f"ended without {words!r}:\n{self.text}"
            assert time.monotonic() < deadline, f"no {words!r}:\n{self.text}"
        self.text = self.text.partition(words)[2]

    def types(self, keys: str) -> None:
        os.write(self.screen, keys.encode())

    def read(self) -> bool:
        try:
            self.text += os.read(self.screen, 4096).decode()
        except OSError:  # nobody has it open any more
            return False
        return True

    def ends(self) -> int:
        while self.read():
            pass
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.screen)
        return status


def test_at_a_terminal_there_are_colours_history_and_a_password(server: Server) -> None:
    topic = poll()
    alice = Terminal(server, "--login", "alice", server.url, topic)
    alice.shows("Password of alice:")
    alice.types(PASSWORD + "\r")
    alice.shows("You are alice")
    alice.types('{"option": "pizza"}\r')
    alice.shows("\x1b[34m#1\x1b[0m")
    alice.shows("\x1b[32malice\x1b[0m")
    alice.types("\x1b[A\r")  # the arrow: the same again
    alice.shows("#2")
    alice.types("hal")
    alice.shows("hal")
    run(server, server.url, topic, typed='{"option": "pasta"}\n')
    alice.shows("#3")
    alice.shows("> hal")  # what is being typed stays
    alice.types("f\r")
    alice.shows("Refused: unknown option")
    alice.types("\x04")
    assert alice.ends() == 1, "something was refused"


def test_ctrl_c_ends_it_without_a_word_and_no_colour_is_none(server: Server) -> None:
    bob = Terminal(server, server.url, poll(), NO_COLOR="1", then="echo ended with $?; stty -a")
    bob.shows("You are")
    assert "\x1b[2m" not in bob.text
    bob.shows("> ")
    bob.types("half a li")
    bob.shows("half a li")
    bob.types("\x03")
    bob.shows("ended with 0")
    bob.ends()
    assert " echo " in bob.text, "the terminal is as it was"
    assert " icanon " in bob.text
