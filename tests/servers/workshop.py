"""A copy of app/ in which somebody writes code while `manage.py runserver` runs."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from servers.app import SOURCE, Server, environment


class Workshop:
    """Its database is a SQLite file, its packages are those of the tests."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="workshop-", ignore_cleanup_errors=True)
        self.app = Path(self._folder.name).resolve() / "app"
        shutil.copytree(SOURCE, self.app, ignore=shutil.ignore_patterns("__pycache__", "staticfiles"))
        self.manage("migrate", "--noinput", "--verbosity", "0")

    def environment(self, **variables: str) -> dict[str, str]:
        database = f"sqlite:///{self.app.parent}/db.sqlite3"
        found = environment(**{"DEBUG": "1", "LOG_FORMAT": "console", "DATABASE_URL": database, **variables})
        del found["PYTHONDONTWRITEBYTECODE"]  # who writes code has what Python keeps of it
        return found

    def manage(self, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command, cwd=self.app, env=self.environment(**variables), capture_output=True, text=True, timeout=60
        )

    def runserver(self, *arguments: str, **variables: str) -> Server:
        """Not started yet."""
        command = [sys.executable, "manage.py", "runserver", *arguments]
        return Server("runserver", command, self.app, self.environment(**variables))

    def edit(self, file: str, old: str, new: str) -> None:
        """Saves as editors do: the new file takes the old one's place at once."""
        path = self.app / file
        text = path.read_text()
        assert old in text, f"{file} has no {old!r}"
        self.write(file, text.replace(old, new))

    def write(self, file: str, text: str) -> None:
        draft = self.app / f"{file}~"
        draft.write_text(text)
        draft.replace(self.app / file)
