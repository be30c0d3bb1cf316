"""`make` in folders with unusual names, and what a machine's own state must not change."""

import hashlib
import os
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from integration.test_run import SECONDS, Terminal, clone_into, environment, make
from servers.ports import free_port

NAMES = ["聊天室", "rooms_", "a b", "it's", "a$HOME", "a#b", "a?b", "a+b", "a%2Fb", 'a"b&c;d']
WORST = "聊天室 it's $HOME #?+%2F\"&;_"
# What other projects and tools leave in the environment.
FOREIGN = {
    "CDPATH": "/",
    "DJANGO_SETTINGS_MODULE": "others.settings",
    "PYTHONHOME": "/nowhere",
    "PYTHONPATH": "/nowhere",
    "PYTHONSAFEPATH": "1",
}


@pytest.mark.parametrize("name", NAMES)
def test_the_database_is_in_the_checkout_whatever_its_folder_is_called(tmp_path: Path, name: str) -> None:
    clone = clone_into(tmp_path / name)
    done = make(clone, "migrate")
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert sorted(path.name for path in (clone / ".run").iterdir()) == ["db.sqlite3", "secret_key", "vapid_key", "venv"]
    assert list(tmp_path.iterdir()) == [clone]
    assert {path.name for path in clone.iterdir()} == {"Makefile", ".env.example", ".run", "app", "docker"}


def test_the_site_runs_in_such_a_folder_among_what_others_left(tmp_path: Path) -> None:
    clone = clone_into(tmp_path / WORST)
    port = free_port()
    terminal = Terminal(clone, port, **FOREIGN)
    terminal.shows(f"http://localhost:{port}")
    steps = ["From your environment: PORT", "Bringing the tables of .run/db.sqlite3 up to date", "Starting"]
    assert terminal.text.splitlines()[:3] == steps
    assert reaches("127.0.0.1", port)
    assert terminal.press_ctrl_c() == 0


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_whatever_address_a_browser_takes_localhost_for_is_answered(tmp_path: Path, server: str) -> None:
    clone = clone_into(tmp_path / "clone")
    port = free_port()
    terminal = Terminal(clone, port, WS_SERVER=server)
    terminal.shows(f"http://localhost:{port}")
    assert [address for address in ("127.0.0.1", "::1") if is_here(address) and not reaches(address, port)] == []
    assert terminal.press_ctrl_c() == 0


def is_here(address: str) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as somebody:
        try:
            somebody.bind((address, 0))
        except OSError:
            return False
    return True


def reaches(address: str, port: int) -> bool:
    with socket.create_connection((address, port), timeout=60) as browser:
        browser.sendall(b"GET / HTTP/1.1\r\nHost: localhost:%d\r\nConnection: close\r\n\r\n" % port)
        return browser.recv(12) == b"HTTP/1.1 200"


# --- the environment in .run/venv ---


def test_a_python_without_its_packages_is_made_anew_and_what_is_linked_there_stays(tmp_path: Path) -> None:
    """As after an update from 3.11 to 3.13: bin/python starts, and finds nothing."""
    clone = clone_into(tmp_path / WORST)
    (clone / ".run/venv").unlink()
    shared = tmp_path / "shared"
    (shared / "bin").mkdir(parents=True)
    (shared / "bin/python").symlink_to("/bin/false")
    (clone / ".run/venv").symlink_to(shared)
    (shared / "bin/python").unlink()
    (shared / "bin/python").write_text("#!/bin/sh\necho no module named pip\nexit 1\n")
    (shared / "bin/python").chmod(0o755)

    target = tmp_path / "elsewhere"
    (tmp_path / "pip.conf").write_text(f"[global]\nuser = true\ntarget = {target}\n")
    wheel(tmp_path / "wheels", clone / "app/requirements.txt")
    variables = FOREIGN | {
        "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"),
        "PIP_FIND_LINKS": str(tmp_path / "wheels"),
        "PIP_NO_INDEX": "1",
        "PIP_TARGET": str(target),
        "PIP_USER": "1",
    }
    done = subprocess.run(
        ["make", ".run/venv/app.txt"],
        cwd=clone,
        env=environment(**variables) | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert (done.returncode, done.stderr) == (0, "")
    making, installing = done.stdout.splitlines()
    assert making.startswith("Making an environment of Python 3.")
    assert installing.startswith("Installing the 1 packages of app/requirements.txt")
    subprocess.run([".run/venv/bin/python", "-I", "-c", "import marker_of_this_test"], cwd=clone, check=True)
    assert not target.exists()
    assert (shared / "bin/python").exists()
    again = subprocess.run(["make", ".run/venv/app.txt"], cwd=clone, capture_output=True, text=True, timeout=SECONDS)
    assert "Making" not in again.stdout


def wheel(folder: Path, requirements: Path) -> None:
    """A package of one empty module, and the lock that asks for it."""
    folder.mkdir()
    path = folder / "marker_of_this_test-1.0-py3-none-any.whl"
    about = "marker_of_this_test-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("marker_of_this_test.py", "")
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: marker-of-this-test\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    requirements.write_text(f"marker-of-this-test==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n")
