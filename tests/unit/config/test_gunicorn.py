"""The configuration of gunicorn, as gunicorn itself reads it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

APP = Path(__file__).parents[3] / "app"
BASE = {
    "PATH": "/usr/bin:/bin",
    "SECRET_KEY": "alices-own-key-of-fifty-random-characters-or-more-4711",
    "ALLOWED_HOSTS": "rooms.example.org",
    "DATABASE_URL": "sqlite://:memory:",
    "REDIS_URL": "redis://127.0.0.1:1",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def configuration(**variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gunicorn", "--print-config", "-c", "config/gunicorn.py", "config.wsgi"]
    return subprocess.run(command, cwd=APP, env={**BASE, **variables}, capture_output=True, text=True, timeout=60)


def test_it_listens_where_it_is_told_and_leaves_in_time() -> None:
    printed = configuration(PORT="8123", WEB_CONCURRENCY="3", HOST="0.0.0.0")
    assert printed.returncode == 0, printed.stderr
    found = dict(re.split(r" *= ", line, maxsplit=1) for line in printed.stdout.splitlines() if " = " in line)
    assert found["bind"] == "['0.0.0.0:8123']"
    assert (found["workers"], found["worker_class"]) == ("3", "config.worker.Worker")
    assert found["control_socket_disable"] == "True"
    assert found["worker_tmp_dir"] == "/dev/shm"
    assert int(found["keepalive"]) == 95
    assert int(found["graceful_timeout"]) < 30
    assert found["forwarded_allow_ips"] == "[]"
    assert found["accesslog"] == "None"


@pytest.mark.parametrize("variable", ["REDIS_URL", "SECRET_KEY"])
def test_what_is_missing_is_one_sentence(variable: str) -> None:
    printed = configuration(**{variable: ""})
    assert printed.returncode == 1
    assert printed.stderr.startswith(f"{variable} is ")
    assert "Traceback" not in printed.stderr
