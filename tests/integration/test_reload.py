"""Dora writes code while `manage.py runserver` runs, and alice has a page of it open."""

import errno
import os
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from client import enter, new_room
from servers.app import Server
from servers.ports import answers, free_port
from servers.process import descendants
from servers.workshop import Workshop

SECONDS = 60
VIEWS = "rooms/views.py"
SAID = """from django.http import HttpResponse
from rooms.said import WORD
urlpatterns = [path("said/", lambda request: HttpResponse(WORD)),"""


@pytest.fixture
def workshop() -> Workshop:
    return Workshop()


@pytest.fixture(params=["daphne", "uvicorn"])
def server(request: pytest.FixtureRequest, workshop: Workshop) -> Iterator[Server]:
    yield from running(workshop.runserver(WS_SERVER=request.param))


@pytest.fixture
def daphne(workshop: Workshop) -> Iterator[Server]:
    yield from running(workshop.runserver())


def running(server: Server) -> Iterator[Server]:
    server.start()
    yield server
    server.kill()


def get(server: Server, path: str = "/") -> str:
    """Raises where the connection is refused, or nothing comes."""
    with urllib.request.urlopen(server.url + path, timeout=SECONDS) as answer:
        return str(answer.read().decode())


def until(holds: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"no {what} in {SECONDS} s"
        time.sleep(0.02)


def says(server: Server, words: str, times: int = 1) -> None:
    until(lambda: server.output().count(words) >= times, f"{words!r} in the terminal")


def save(workshop: Workshop) -> None:
    """Dora changes something that nobody sees."""
    path = workshop.app / VIEWS
    workshop.write(VIEWS, f"{path.read_text()}# Changed\n")


async def test_the_open_page_goes_on_by_itself_and_loses_nothing(workshop: Workshop, server: Server) -> None:
    room = new_room()
    alice = await enter(server.ws_url, room)
    await alice.say("before")
    save(workshop)
    goodbye = await alice.of_type("goodbye")
    assert (goodbye["reason"], goodbye["after_ms"]) == ("restart", 0)
    assert await alice.closed() == 4501

    # She returns at once, and nobody refuses her meanwhile.
    async with await enter(server.ws_url, room, since=0, epoch=alice.welcome["epoch"]) as returned:
        assert returned.welcome["recovered"]
        assert returned.bodies() == ["before"]
        assert (await returned.say("after"))["seq"] == 2
    says(server, "Listening on", 2)
    assert "Traceback" not in server.output()


def test_a_page_waits_for_the_new_code_and_shows_it(workshop: Workshop, server: Server) -> None:
    for word in ("one", "two", "six"):
        workshop.write("rooms/said.py", f'WORD = "{word}"\n')
        if word == "one":
            workshop.edit("rooms/urls.py", "urlpatterns = [", SAID)
        until(lambda word=word: word in page(server, "/said/"), f"{word!r} on the page")
    assert "Traceback" not in server.output()


def page(server: Server, path: str) -> str:
    try:
        return get(server, path)
    except urllib.error.HTTPError as error:
        return str(error)


@pytest.mark.parametrize(
    "file", [VIEWS, "config/settings.py", "rooms/models.py", "rooms/consumers.py", "realtime/reach.py", "manage.py"]
)
def test_a_syntax_error_is_shown_and_the_next_save_mends_it(workshop: Workshop, daphne: Server, file: str) -> None:
    good = (workshop.app / file).read_text()
    workshop.write(file, good + "\ndef broken(:\n")
    says(daphne, "SyntaxError: invalid syntax")
    says(daphne, "The next save of a Python file in")
    assert f'{file}", line' in daphne.output()
    workshop.write(file, good)
    assert "Rooms" in get(daphne)  # whoever asks meanwhile waits
    assert daphne.alive


def test_a_setting_without_sense_is_one_sentence_and_the_next_save_mends_it(workshop: Workshop, daphne: Server) -> None:
    workshop.edit("config/settings.py", 'whole("PORT", 8000, 1, 65535)', 'whole("PORT", 8000, 1, 2)')
    says(daphne, "PORT must be a whole number from 1 to 2")
    workshop.edit("config/settings.py", 'whole("PORT", 8000, 1, 2)', 'whole("PORT", 8000, 1, 65535)')
    assert "Rooms" in get(daphne)
    assert "Traceback" not in daphne.output()


def test_a_failed_check_is_shown_and_the_next_save_mends_it(workshop: Workshop, daphne: Server) -> None:
    workshop.edit("config/settings.py", 'ROOT_URLCONF = "config.urls"', 'ROOT_URLCONF = "config.nowhere"')
    says(daphne, "No module named 'config.nowhere'")
    workshop.edit("config/settings.py", 'ROOT_URLCONF = "config.nowhere"', 'ROOT_URLCONF = "config.urls"')
    assert "Rooms" in get(daphne)


def test_a_new_file_of_topics_is_found(workshop: Workshop, daphne: Server) -> None:
    workshop.write("rooms/topics.py", "raise RuntimeError('found')\n")
    says(daphne, "RuntimeError: found")


def test_what_is_saved_while_it_starts_counts_too(workshop: Workshop, daphne: Server) -> None:
    children = descendants(daphne.pid)
    save(workshop)
    says(daphne, "reloading")
    until(lambda: set(descendants(daphne.pid)) - set(children), "new child")
    save(workshop)
    says(daphne, "reloading", 2)
    says(daphne, "Listening on", 2)


def test_templates_and_static_files_show_at_the_next_request(workshop: Workshop, server: Server) -> None:
    style, base = "/static/rooms/style.css", "base.html"
    for word in ("one", "two"):
        workshop.write(f"rooms{style}", f"/* {word} */\n")
        workshop.edit(f"rooms/templates/{base}", "</head>", f"<!-- {word} --></head>")
        with urllib.request.urlopen(server.url + style, timeout=SECONDS) as answer:
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.read().decode() == f"/* {word} */\n"
        lobby = get(server)
        assert f"<!-- {word} --></head>" in lobby
        assert f'href="{style}"' in lobby
    assert "reloading" not in server.output()


def test_without_debug_nothing_is_ever_reloaded(workshop: Workshop, daphne: Server) -> None:
    workshop.manage("collectstatic", "--noinput", "--verbosity", "0", DEBUG="0")
    deployed = workshop.runserver(DEBUG="0").start()
    try:
        save(workshop)
        says(daphne, "Listening on", 2)  # beside it, one that does
        assert deployed.health() == 200
        assert "reloading" not in deployed.output()
        assert descendants(deployed.pid) == []
    finally:
        assert deployed.stop() == 0


def test_ctrl_c_ends_parent_and_child(server: Server) -> None:
    children = descendants(server.pid)
    assert children
    os.killpg(server.pid, signal.SIGINT)  # as a terminal does
    assert server.wait_end(SECONDS) == 0
    until(lambda: not any(map(exists, children)), "end of the child")
    assert not answers(server.port)
    assert "Traceback" not in server.output()


def test_ctrl_c_while_it_starts_ends_it_without_a_traceback(workshop: Workshop) -> None:
    server = workshop.runserver()
    server.launch()
    until(lambda: any(map(imports, descendants(server.pid))), "child that imports")
    os.killpg(server.pid, signal.SIGINT)
    assert server.wait_end(SECONDS) == 0
    assert "Traceback" not in server.output()


def imports(pid: int) -> bool:
    try:
        return "/_socket." in Path(f"/proc/{pid}/maps").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_ctrl_c_while_the_code_is_broken_ends_it(workshop: Workshop, daphne: Server) -> None:
    workshop.write(VIEWS, "def broken(:\n")
    says(daphne, "The next save of a Python file in")
    os.killpg(daphne.pid, signal.SIGINT)
    assert daphne.wait_end(SECONDS) == 0
    assert not answers(daphne.port)


async def test_sigterm_says_goodbye(server: Server) -> None:
    alice = await enter(server.ws_url, new_room())
    server.signal(signal.SIGTERM)
    assert (await alice.of_type("goodbye"))["reason"] == "restart"
    assert await alice.closed() == 4501
    assert server.wait_end(SECONDS) == 0


def test_a_parent_that_is_killed_leaves_no_child_behind(daphne: Server) -> None:
    [child] = descendants(daphne.pid)
    daphne.signal(signal.SIGKILL)
    until(lambda: not exists(child), "end of the child")
    assert not answers(daphne.port)


def exists(pid: int) -> bool:
    """And is no zombie, whom nobody has waited for yet."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize(
    ("arguments", "host"),
    [(["127.0.0.1:{port}"], "127.0.0.1"), (["{port}", "--noreload"], "127.0.0.1"), (["-6", "{port}"], "[::1]")],
)
def test_it_takes_the_usual_arguments(workshop: Workshop, arguments: list[str], host: str) -> None:
    port = free_port()
    server = workshop.runserver(*(argument.format(port=port) for argument in arguments))
    server.launch()
    says(server, f"Listening on http://localhost:{port}")
    with urllib.request.urlopen(f"http://{host}:{port}/", timeout=SECONDS) as answer:
        assert answer.status == 200
    assert bool(descendants(server.pid)) == ("--noreload" not in arguments)
    assert server.stop() == 0


def test_with_debug_it_listens_on_this_machine_alone_unless_it_is_told_otherwise(workshop: Workshop) -> None:
    server = workshop.runserver()
    assert server.env
    server.env = {name: value for name, value in server.env.items() if name != "HOST"}
    server.start()
    with socket.socket() as elsewhere:
        assert elsewhere.connect_ex(("127.0.0.2", server.port)) == errno.ECONNREFUSED
    assert server.stop() == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["eighty"], '"eighty" is not a valid port number or address:port pair.'),
        (["{taken}"], "Port {taken} on 127.0.0.1 cannot be had (Address already in use)"),
        (["192.0.2.1:8000"], "Port 8000 on 192.0.2.1 cannot be had ("),
    ],
)
def test_what_cannot_be_listened_on_is_one_sentence(workshop: Workshop, arguments: list[str], said: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        taken = str(somebody.getsockname()[1])
        done = workshop.manage("runserver", *(argument.format(taken=taken) for argument in arguments))
    assert done.returncode == 1
    assert said.format(taken=taken) in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_missing_migration_is_said_after_a_reload(workshop: Workshop, daphne: Server) -> None:
    last = max(path.stem for path in (workshop.app / "rooms/migrations").glob("0*.py"))
    workshop.write("rooms/migrations/9999_dora.py", MIGRATION.format(last=last))
    save(workshop)
    says(daphne, "You have 1 unapplied migration(s)")
    assert "Rooms" in get(daphne)


MIGRATION = """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("rooms", "{last}")]
"""
