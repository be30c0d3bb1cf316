"""The tests of an app that somebody builds on this, run as they are run there."""

import os
import subprocess
import sys
from pathlib import Path

from servers.app import FOREIGN_APP

APP = Path(__file__).parents[3] / "app"


def test_an_app_tests_its_topics_by_djangos_own_runner() -> None:
    """On SQLite: of a database on a server Django's runner would take the test database that this very run has."""
    command = [sys.executable, "manage.py", "test", "apps.polls", "--noinput"]
    env = {**os.environ, **FOREIGN_APP, "DATABASE_URL": "sqlite://:memory:"}
    done = subprocess.run(command, cwd=APP, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Ran 6 tests" in done.stderr
