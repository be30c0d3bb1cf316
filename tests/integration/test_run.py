"""`make run` as somebody finds it who has just cloned the project, but for the packages, which are there already."""

import errno
import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from servers.ports import free_port

ROOT = Path(__file__).parents[2]
SECONDS = 60


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clone_into(tmp_path_factory.mktemp("clone"))


def clone_into(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for name in ("Makefile", ".env.example"):
        shutil.copy(ROOT / name, folder)
    for name in ("app", "docker"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "staticfiles"))
    (folder / ".run").mkdir()
    (folder / ".run/venv").symlink_to(sys.prefix)
    return folder


class Terminal:
    """`make run` in a terminal of its own."""

    def __init__(self, clone: Path, port: int, **variables: str) -> None:
        self.text = ""
        self.pid, self.screen = pty.fork()
        if self.pid == 0:
            os.chdir(clone)
            os.execvpe("make", [*MAKE, "run"], environment(PORT=str(port), **variables))

    def shows(self, words: str) -> None:
        deadline = time.monotonic() + SECONDS
        while words not in self.text:
            assert self.read(), f"ended without {words!r}:\n{self.text}"
            assert time.monotonic() < deadline, f"no {words!r}:\n{self.text}"

    def read(self) -> bool:
        try:
            self.text += os.read(self.screen, 4096).decode()
        except OSError:  # nobody writes any more
            return False
        return True

    def press_ctrl_c(self) -> int:
        """The exit status that make ends with."""
        os.write(self.screen, b"\x03")
        while self.read():
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


# The packages count as installed, whichever environment the tests run in.
MAKE = ["make", "--assume-old=.run/venv/app.txt"]


def environment(**variables: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "LANG": "C.UTF-8", **variables}


def refused(clone: Path, **variables: str) -> list[str]:
    """What `make run` gives as its reason before it gives up, without make's own last line."""
    done = make(clone, "run", **variables)
    assert done.returncode == 2
    *said, last = done.stderr.splitlines()
    assert last.startswith("make: ***")
    return said


def make(clone: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    command, env = [*MAKE, *arguments], environment(**variables)
    return subprocess.run(
        command, cwd=clone, env=env, capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL
    )


@pytest.fixture
def taken() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        yield str(somebody.getsockname()[1])


def test_it_serves_the_site_to_this_machine_until_ctrl_c_and_again(clone: Path) -> None:
    keys = set()
    for _ in range(2):
        port = free_port()
        terminal = Terminal(clone, port)
        terminal.shows(f"http://localhost:{port}")
        with urllib.request.urlopen(f"http://localhost:{port}/", timeout=SECONDS) as lobby:
            [style] = re.findall(r'href="(/static/[^"]+\.css)"', lobby.read().decode())
        with urllib.request.urlopen(f"http://localhost:{port}{style}", timeout=SECONDS) as answer:
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        with socket.socket() as elsewhere:  # who listens on every address would answer at this one, too
            assert elsewhere.connect_ex(("127.0.0.2", port)) == errno.ECONNREFUSED
        assert terminal.press_ctrl_c() == 0
        assert "Traceback" not in terminal.text
        assert "***" not in terminal.text
        keys.add((clone / ".run/secret_key").read_text())
    assert len(keys) == 1
    assert len(keys.pop()) >= 50
    assert (clone / ".run/secret_key").stat().st_mode & 0o777 == 0o600


def test_a_save_is_seen_at_once_and_ctrl_c_still_ends_all(tmp_path: Path) -> None:
    clone, port = clone_into(tmp_path / "clone"), free_port()
    terminal = Terminal(clone, port)
    terminal.shows("Listening on")
    terminal.text = ""
    urls = clone / "app/rooms/urls.py"
    urls.write_text(urls.read_text().replace("urlpatterns = [", 'urlpatterns = [path("also/", views.lobby),'))
    terminal.shows("urls.py changed, reloading.")
    terminal.shows("Listening on")
    with urllib.request.urlopen(f"http://localhost:{port}/also/", timeout=SECONDS) as also:
        assert also.status == 200
    assert terminal.press_ctrl_c() == 0
    assert "Traceback" not in terminal.text
    assert "***" not in terminal.text


def test_killing_make_ends_the_server(clone: Path) -> None:
    port = free_port()
    terminal = Terminal(clone, port)
    terminal.shows(f"http://localhost:{port}")
    os.kill(terminal.pid, signal.SIGTERM)
    while terminal.read():
        pass
    os.waitpid(terminal.pid, 0)
    socket.create_server(("127.0.0.1", port)).close()


def test_a_taken_port_is_one_sentence(clone: Path, taken: str) -> None:
    [sentence] = refused(clone, PORT=taken)
    assert sentence.startswith(f"Port {taken} ")


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "abc"), ("MESSAGE_RATE", "-1"), ("DEBUG", "ture"), ("DATABASE_URL", "mysql://a")]
)
def test_a_broken_variable_is_one_sentence_that_names_it(clone: Path, name: str, value: str) -> None:
    [sentence] = refused(clone, **{name: value})
    assert sentence.startswith(name)


def test_a_missing_python_is_one_sentence(clone: Path, tmp_path: Path) -> None:
    for program in ("bash", "make", "cmp", "touch", "sed"):
        (tmp_path / program).symlink_to(shutil.which(program) or program)
    bare = tmp_path / "clone"
    shutil.copytree(clone, bare, symlinks=True, ignore=shutil.ignore_patterns(".run"))
    [sentence] = refused(bare, PATH=str(tmp_path))
    assert "Python 3.11" in sentence


def test_debug_off_serves_pages_with_their_static_files(clone: Path) -> None:
    port = free_port()
    terminal = Terminal(clone, port, DEBUG="0")
    terminal.shows(f"http://localhost:{port}")
    assert "Collecting the static files" in terminal.text
    with urllib.request.urlopen(f"http://localhost:{port}/", timeout=SECONDS) as lobby:
        [style] = re.findall(r'href="(/static/[^"]+\.css)"', lobby.read().decode())
    with urllib.request.urlopen(f"http://localhost:{port}{style}", timeout=SECONDS) as answer:
        assert answer.status == 200
    assert terminal.press_ctrl_c() == 0


def test_what_the_environment_decides_is_named_and_its_value_is_not(clone: Path, tmp_path: Path) -> None:
    done = make(
        clone,
        "migrate",
        DATABASE_URL=f"sqlite:///{tmp_path}/another.sqlite3",
        SECRET_KEY="only-for-tests-" + 2 * "0123456789abcdef",
    )
    assert done.returncode == 0
    assert done.stdout.splitlines() == ["From your environment: SECRET_KEY DATABASE_URL"]
    assert make(clone, "migrate", "LOG_FORMAT=json").stdout == ""


def test_any_command_of_django_can_be_run(clone: Path) -> None:
    done = make(clone, "manage", "ARGS=check --tag security")
    assert (done.returncode, done.stderr) == (0, "")
    assert "no issues" in done.stdout


def test_the_doctor_looks_at_what_make_run_uses_or_at_an_address(clone: Path) -> None:
    make(clone, "migrate")
    inside = make(clone, "doctor")
    assert inside.returncode == 0, inside.stdout
    assert "ok        migrations: All migrations are there." in inside.stdout
    nobody = f"http://localhost:{free_port()}"
    outside = make(clone, "doctor", f"URL={nobody}", "ARGS=--json")
    assert outside.returncode == 2
    assert [each["check"] for each in json.loads(outside.stdout)["findings"]] == ["reached"]
    both = make(clone, "doctor", f"URL={nobody}", "STACK=1")
    assert "one after the other" in both.stderr


def test_an_administrator_without_a_password_is_refused(clone: Path) -> None:
    for arguments in ("", "--noinput --username alice --email alice@example.org"):
        done = make(clone, "admin", f"ARGS={arguments}")
        assert done.returncode == 2
        assert "DJANGO_SUPERUSER_PASSWORD" in done.stderr.splitlines()[0]
        assert "success" not in done.stdout
    named = "ARGS=--noinput --username alice --email alice@example.org"
    done = make(clone, "admin", named, DJANGO_SUPERUSER_PASSWORD="correct horse")
    assert done.returncode == 0
    assert "Superuser created" in done.stdout
