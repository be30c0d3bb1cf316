"""Where people meet: one database, and the servers under test on a core of their own."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from bench.contenders.ours import HALLS
from bench.frame import Bench
from bench.usage import on_core
from servers.app import Server, environment
from servers.ports import answers, free_port
from servers.postgres import Database
from servers.process import Process

PROGRAMS = Path(__file__).parents[1] / "contenders" / "programs"
COMMANDS = {
    "Daphne": [*("daphne", "-v", "0", "-b", "127.0.0.1", "-p", "{port}"), "insert:application"],
    "uvicorn": [
        *("uvicorn", "--host", "127.0.0.1", "--port", "{port}", "--loop", "uvloop", "--ws", "websockets-sansio"),
        *("--ws-per-message-deflate", "false", "--no-access-log", "--log-level", "warning", "--lifespan", "off"),
        "insert:application",
    ],
}
ROOMS_LOG = (
    "SELECT substr(l.name, 6), e.seq, e.client_id FROM topics_entry e JOIN topics_log l ON l.id = e.log_id"
    " WHERE substr(l.name, 6) = ANY(%s) AND l.name LIKE 'room/%%' ORDER BY l.name, e.seq"
)
TOPICS_LOG = (
    "SELECT substr(l.name, 6), e.seq, e.client_id FROM topics_entry e JOIN topics_log l ON l.id = e.log_id"
    " WHERE substr(l.name, 6) = ANY(%s) AND l.name LIKE 'hall/%%' ORDER BY l.name, e.seq"
)
INSERT_LOG = "SELECT room, id, client_id FROM insert_message WHERE room = ANY(%s) ORDER BY room, id"
UNLIMITED = "1000000"  # messages a second of one socket: the load says how many there are
SYNCS = 500

P = TypeVar("P", bound=Process)


class House:
    """One database, with fsync and synchronous_commit on, that has the tables of the product and of the peer.

    While it is entered, the caller is on the load's core, too.
    """

    def __init__(self, bench: Bench) -> None:
        self.bench, self.around = bench, bench.surroundings
        self._servers: list[Process] = []

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(on_core(self.bench.load_core))
            self._furnish()
            self._at_end = stack.pop_all()
        return self

    def _furnish(self) -> None:
        self.database = Database(self.around.new_database())
        self.env = environment(
            DATABASE_URL=self.database.url, REDIS_URL=self.around.redis.url, MESSAGE_RATE=UNLIMITED, MAX_SOCKETS="20000"
        )
        self.around.image.migrate(self.env)
        self.insert_script("table")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.kill()
        self._at_end.close()

    def rooms(self, server: str, **variables: str) -> Server:
        """The product, not started yet; `server` is Daphne or uvicorn."""
        env = self.env | {"WS_SERVER": server.lower(), **variables}
        return self.kept(self.around.image.ws(f"rooms-{server}", env))

    def halls(self, server: str) -> Server:
        """The product with a foreign app beside it."""
        return self.kept(self.around.image.ws(f"halls-{server}", self.env | HALLS | {"WS_SERVER": server.lower()}))

    def web(self, **variables: str) -> Server:
        """gunicorn with its two workers."""
        return self.kept(self.around.image.web(self.env | variables))

    def insert(self, server: str) -> "Peer":
        """The tutorial's consumer with a row for each message; the same servers, as they come."""
        return self.kept(Peer(server, self.env))

    def started(self, server: P) -> P:
        with on_core(self.bench.server_core):
            server.start()
        return server

    def kept(self, server: P) -> P:
        """Ended together with the house."""
        self._servers.append(server)
        return server

    def shell(self, script: str) -> str:
        """What a script prints that runs with the product's models."""
        return self.around.image.manage("shell", "--command", script, env=self.env)

    def insert_script(self, *arguments: str) -> str:
        """What the peer's program prints."""
        command = [sys.executable, "insert.py", *arguments]
        done = subprocess.run(command, cwd=PROGRAMS, env=self.env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def insert_loop(self, seconds: float) -> float:
        """Rows a second of the peer's table, without its server."""
        with on_core(self.bench.server_core):
            return float(self.insert_script("loop", str(seconds)))

    def logs(self, rooms: Iterable[str], query: str = ROOMS_LOG) -> dict[str, list[tuple[int, str]]]:
        """(number, id) of every message of these rooms, in order."""
        found: dict[str, list[tuple[int, str]]] = {room: [] for room in rooms}
        for room, seq, id in self.database.rows(query, [list(found)]):
            found[room].append((seq, id))
        return found

    def syncs_per_second(self) -> float:
        """How often one can write a block and wait until the disk has it, where Postgres has its own."""
        with tempfile.TemporaryFile(dir=self.around.postgres.folder.name) as file:
            began = time.perf_counter()
            for _ in range(SYNCS):
                os.pwrite(file.fileno(), bytes(8192), 0)
                os.fdatasync(file.fileno())
            return SYNCS / (time.perf_counter() - began)


class Peer(Process):
    """contenders/programs/insert.py on a server with the options that are fastest for it."""

    def __init__(self, server: str, env: Mapping[str, str]) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", *(part.format(port=self.port) for part in COMMANDS[server])]
        super().__init__(f"insert-{server}", command, lambda: answers(self.port), env=env, cwd=PROGRAMS)

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"
