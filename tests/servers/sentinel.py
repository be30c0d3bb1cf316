"""Redis as Sentinels keep it: a master, a replica of it, and three who choose the next master."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import redis

from servers.ports import free_port
from servers.process import Process
from servers.redis import PASSWORD, Redis

NAME = "rooms"
DOWN_SECONDS = 1  # without an answer of the master


class Sentinel(Process):
    def __init__(self, master: Redis) -> None:
        self.port = free_port()
        self.folder = tempfile.TemporaryDirectory(prefix="sentinel-", ignore_cleanup_errors=True)
        file = Path(self.folder.name) / "sentinel.conf"  # which it rewrites
        file.write_text(
            f"port {self.port}\nbind 127.0.0.1\nsentinel monitor {NAME} 127.0.0.1 {master.port} 2\n"
            f"sentinel auth-pass {NAME} {PASSWORD}\nsentinel down-after-milliseconds {NAME} {DOWN_SECONDS * 1000}\n"
            f"sentinel failover-timeout {NAME} 5000\n"
        )
        command = [shutil.which("redis-server") or "redis-server", str(file), "--sentinel"]
        super().__init__("sentinel", command, self._knows_all)

    def ask(self) -> dict[str, Any]:
        """What it knows of the master."""
        with redis.Redis(port=self.port, socket_timeout=5) as asked:
            known: dict[str, Any] = asked.sentinel_master(NAME)
            return known

    def _knows_all(self) -> bool:
        """A replica, and the two other Sentinels."""
        try:
            known = self.ask()
        except redis.RedisError:
            return False
        return bool(known["num-slaves"] == 1 and known["num-other-sentinels"] == 2)


class Guarded:
    def __init__(self) -> None:
        self.servers = [Redis(), Redis()]
        self.servers[1].follow(self.servers[0])
        self.sentinels = [Sentinel(self.servers[0]) for _ in range(3)]

    @property
    def url(self) -> str:
        where = ",".join(f"127.0.0.1:{one.port}" for one in self.sentinels)
        return f"redis+sentinel://:{PASSWORD}@{where}/{NAME}/0"

    def start(self) -> "Guarded":
        for server in self.servers:
            server.start()
        for sentinel in self.sentinels:
            sentinel.launch()
        for sentinel in self.sentinels:
            sentinel.wait_ready()
        return self

    def stop(self) -> None:
        for process in (*self.sentinels, *self.servers):
            if process.alive:
                process.kill()

    def master(self) -> Redis:
        """As the first Sentinel knows it."""
        port = self.sentinels[0].ask()["port"]
        return next(server for server in self.servers if server.port == port)
