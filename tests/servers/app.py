"""The application's own processes, started with the commands and variables of the containers."""

import compileall
import http.client
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from servers.ports import free_port
from servers.process import Process

SOURCE = Path(__file__).parents[2] / "app"
# Variables by which the servers have an app of the tests' own beside rooms, as somebody's who builds on this.
FOREIGN_APP = {"DJANGO_SETTINGS_MODULE": "apps.settings", "PYTHONPATH": str(Path(__file__).parents[1])}
SECRET_KEY = "only-for-tests-" + "0123456789abcdef" * 4


class Image:
    """What the image holds: a copy of app/, compiled, with its static files collected.

    Servers of one run all see the same code, and nothing is written into the work tree.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="image-", ignore_cleanup_errors=True)
        self.app = Path(self._folder.name) / "app"
        shutil.copytree(SOURCE, self.app, ignore=shutil.ignore_patterns("__pycache__", "staticfiles"))
        compileall.compile_dir(self.app, quiet=1)  # each of some hundred processes would do it for itself
        self.manage("collectstatic", "--noinput", env=environment(DATABASE_URL="sqlite://:memory:"))

    def manage(self, *arguments: str, env: Mapping[str, str]) -> str:
        """Run manage.py and return what it printed; AssertionError with its output when it fails."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=self.app, env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, f"manage.py {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def migrate(self, env: Mapping[str, str]) -> None:
        self.manage("migrate", "--noinput", env=env)

    def web(self, env: Mapping[str, str]) -> "Server":
        command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi"]
        return Server("web", command, self.app, env)

    def ws(self, name: str, env: Mapping[str, str]) -> "Server":
        return Server(name, [sys.executable, "-m", "realtime.serve"], self.app, env)


class Server(Process):
    """A process of the application, on a port of its own that stays the same over restarts."""

    def __init__(self, name: str, command: list[str], cwd: Path, env: Mapping[str, str]) -> None:
        self.port = free_port()
        super().__init__(name, command, self._is_ready, cwd=cwd, env={**env, "PORT": str(self.port)})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def connections(self) -> int:
        """How many TCP connections to its port are open."""
        return sum(_established(Path("/proc/net") / family, self.port) for family in ("tcp", "tcp6"))

    def health(self, check: str = "ready") -> int:
        """The status that /health/<check> answers; 0 when nobody does."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", f"/health/{check}")
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def _is_ready(self) -> bool:
        return self.health() == 200


def environment(**variables: str) -> dict[str, str]:
    """What a container of the stack would see, and nothing of the caller's but PATH and HOME."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": os.environ.get("HOME", "/"),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "SECRET_KEY": SECRET_KEY,
        "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
        "HTTPS": "0",
        "HOST": "127.0.0.1",
        # All tests come from one.
        "ROOMS_PER_ADDRESS": "0",
        "LOGIN_FAILURES_PER_ADDRESS": "0",
        **variables,
    }


def _established(table: Path, port: int) -> int:
    """Rows of a /proc/net table whose local port is this one and whose state is ESTABLISHED."""
    rows = (line.split() for line in table.read_text().splitlines()[1:])
    return sum(row[3] == "01" and int(row[1].rpartition(":")[2], 16) == port for row in rows)
