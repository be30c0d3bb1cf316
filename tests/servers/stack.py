"""The whole stack as processes: Postgres, Redis, gunicorn, several ws, and nginx in front."""

import secrets
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from servers.app import Image, Server, environment
from servers.nginx import Nginx
from servers.postgres import Database, Postgres
from servers.process import Process
from servers.redis import Redis

SERVERS = ["daphne", "uvicorn"]


class Stack:
    """`servers` names the server of each ws process. Every part can be killed, paused and restarted alone.

    Postgres is the caller's, who may use it for several stacks, each with its own database.
    """

    def __init__(self, image: Image, postgres: Postgres, servers: Sequence[str], **variables: str) -> None:
        self.image, self.postgres = image, postgres
        self.redis = Redis()
        self.database = Database(postgres.create_database(f"rooms-{secrets.token_hex(4)}"))
        urls = {"DATABASE_URL": postgres.for_servers(self.database.url), "MIGRATE_DATABASE_URL": self.database.url}
        found = {**urls, "REDIS_URL": self.redis.url, "PROXY_HOPS": "1"}
        self.env = environment(**found | variables)
        self.web = image.web(self.env)
        self.ws = [
            image.ws(f"{server}-{number}", self.env | {"WS_SERVER": server}) for number, server in enumerate(servers)
        ]
        self.nginx = Nginx(web=[self.web.port], ws=[each.port for each in self.ws])

    def start(self) -> Self:
        self.redis.start()
        self.image.migrate(self.env)
        for process in self.application:
            process.launch()
        for process in self.application:
            process.wait_ready()
        self.nginx.start()
        return self

    def stop(self) -> None:
        """The edge first, then all others at once: nobody's drain waits for another's."""
        self.nginx.stop()
        for process in self.application:
            process.kill()
        self.redis.stop()

    def mend(self) -> None:
        """Everything that a test stopped or killed runs again."""
        for process in self.everything:
            if process.alive:
                process.resume()
            else:
                process.launch()
        for process in self.everything:
            process.wait_ready()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def application(self) -> list[Server]:
        return [self.web, *self.ws]

    @property
    def everything(self) -> list[Process]:
        return [self.postgres, self.redis, *self.application, self.nginx]

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.nginx.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.nginx.port}"

    def open_room(self, name: str) -> None:
        """Makes the room and its log, in which nothing stands yet: listening to a room makes none."""
        imports = "from rooms.topics import RoomTopic; from topics.storing import logs"
        self.manage("shell", "--command", f"{imports}; logs.key_of(RoomTopic(room={name!r}), None)")

    def make_user(self, name: str, *, staff: bool = False) -> str:
        """Somebody with an account; the password."""
        password, kind = secrets.token_hex(8), "superuser" if staff else "user"
        make = f"User.objects.create_{kind}({name!r}, password={password!r})"
        self.manage("shell", "--command", f"from django.contrib.auth.models import User; {make}")
        return password

    def manage(self, *arguments: str) -> str:
        return self.image.manage(*arguments, env=self.env)
