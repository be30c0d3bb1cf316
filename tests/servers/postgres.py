"""A Postgres cluster of our own, with fsync, on loopback."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

from servers.ports import free_port
from servers.process import Process

USER = "rooms"
SERVERS = "servers"
PASSWORD = "log"
RIGHTS = Path(__file__).parents[2] / "docker" / "postgres" / "rights.sql"


class Postgres(Process):
    """Every stack gets a database of its own by `create_database`."""

    def __init__(self, standby_of: "Postgres | None" = None, **more: str) -> None:
        self.port = free_port()
        self.folder = tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True)
        data = Path(self.folder.name) / "data"
        # initdb refuses root; Debian's package brings the user `postgres`.
        user = "postgres" if os.getuid() == 0 else None
        if user:
            shutil.chown(self.folder.name, user)
        if standby_of:
            _copy(standby_of, data, user)
        else:
            _initdb(data, user)
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.folder.name,
            "max_connections": 60,
            "log_min_error_statement": "panic",
            **more,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        super().__init__("postgres", [program("postgres"), "-D", str(data), *options], self._answers, user=user)

    def create_database(self, name: str, copy_of: str = "template1") -> str:
        """The URL of a new database: an empty one, or a copy of another that nobody is connected to."""
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{copy_of}"')
        return self._url(name)

    def for_servers(self, url: str) -> str:
        """The URL by which servers come into that database, as somebody who may only read and write rows."""
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [SERVERS]).fetchone():
                connection.execute(f"CREATE ROLE {SERVERS} LOGIN PASSWORD '{PASSWORD}'")
        psql = [program("psql"), url, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--set=servers={SERVERS}"]
        subprocess.run([*psql, "--file", str(RIGHTS)], check=True, capture_output=True)
        return url.replace(f"//{USER}:", f"//{SERVERS}:")

    def waits_for_its_standby(self) -> None:
        """From here on a COMMIT is on two disks. Returns when the standby is in step."""
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute("SELECT pg_reload_conf()")
            deadline = time.monotonic() + 60
            while not connection.execute("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'").fetchone():
                assert time.monotonic() < deadline, "the standby does not come"
                time.sleep(0.05)

    def promote(self) -> None:
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute("SELECT pg_promote()")

    def stop(self, seconds: float = 60) -> int:
        """SIGINT is Postgres' fast shutdown: it does not wait for its clients."""
        if self.alive:
            self.resume()
            self.signal(2)
        return self.wait_end(seconds)

    def _url(self, database: str) -> str:
        return f"postgres://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


class Database:
    """Questions to one database, each over a connection of its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    def rows(self, query: str, arguments: Any = ()) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(query, arguments).fetchall()

    def do(self, *statements: str) -> None:
        """One after another, each a transaction by itself."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def messages(self, room: str) -> list[tuple[int, str, str]]:
        """(seq, id, body) of everything the room's log holds, in order."""
        return [(seq, id, json.loads(data)["body"]) for seq, id, data in self.events(f"room/{room}")]

    def events(self, topic: str) -> list[tuple[int, str, str]]:
        """(seq, id, data) of everything the topic's log holds, in order."""
        return self.rows(
            "SELECT e.seq, e.client_id, e.data FROM topics_entry e JOIN topics_log l ON l.id = e.log_id"
            " WHERE l.name = %s ORDER BY e.seq",
            [topic],
        )


def _initdb(data: Path, user: str | None) -> None:
    with tempfile.NamedTemporaryFile("w") as secret:
        secret.write(PASSWORD)
        secret.flush()
        os.chmod(secret.name, 0o644)
        subprocess.run(
            [
                *(program("initdb"), "-D", str(data), "-U", USER, "-A", "scram-sha-256"),
                *("--pwfile", secret.name, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            user=user,
            group=user,
            extra_groups=[] if user else None,
            cwd="/",
        )


def _copy(primary: Postgres, data: Path, user: str | None) -> None:
    subprocess.run(
        [program("pg_basebackup"), "-d", primary._url("postgres"), "-D", str(data), "-R", "-X", "stream", "-c", "fast"],
        check=True,
        capture_output=True,
        user=user,
        group=user,
        extra_groups=[] if user else None,
        cwd="/",
    )


def program(name: str) -> str:
    """Debian keeps the server's programs outside of PATH, a folder a version."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    return str(versions[-1]) if versions else shutil.which(name) or name
