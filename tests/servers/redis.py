"""A Redis with a password and without persistence: after a restart it is empty, as in the stack."""

import shutil
import socket
import tempfile

from servers.ports import free_port
from servers.process import Process

PASSWORD = "channel"


class Redis(Process):
    def __init__(self) -> None:
        self.port = free_port()
        command = [
            shutil.which("redis-server") or "redis-server",
            *("--port", str(self.port), "--bind", "127.0.0.1", "--requirepass", PASSWORD),
            *("--save", "", "--appendonly", "no"),
        ]
        super().__init__("redis", command, self._pong)

    @property
    def url(self) -> str:
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"

    def clients(self) -> int:
        """How many connections it has, beside the one that asks."""
        return int(self.ask("INFO clients").split("connected_clients:")[1].split()[0]) - 1

    def follow(self, master: "Redis") -> None:
        """From its start on it is a replica of that one, and either may become the other's."""
        self.folder = tempfile.TemporaryDirectory(prefix="redis-", ignore_cleanup_errors=True)  # what it is sent first
        for one in (self, master):
            one.command += ["--masterauth", PASSWORD, "--dir", self.folder.name]
        self.command += ["--replicaof", f"127.0.0.1 {master.port}"]

    def ask(self, command: str) -> str:
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(f"AUTH {PASSWORD}\r\n{command}\r\nQUIT\r\n".encode())
            return b"".join(iter(lambda: connection.recv(65_536), b"")).decode()

    def _pong(self) -> bool:
        try:
            return "PONG" in self.ask("PING")
        except OSError:
            return False
