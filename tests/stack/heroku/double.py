"""Heroku on this machine: the API, the registry, the router and the dynos, and a shell of somebody who uses them.

Not of it: accounts, prices, builds on Heroku's side beyond `git push`, and everything that the tests do not use. The
Docker engine, which lives outside, pushes to the registry by its loopback address (HEROKU_REGISTRY); the CLI finds
the same registry by its name.
"""

import asyncio
import secrets
import socket
import subprocess
import threading
from pathlib import Path

from servers.ports import free_port
from stack.heroku import cli
from stack.heroku.api import Api
from stack.heroku.app import App
from stack.heroku.certificates import Authority
from stack.heroku.containers import Network, docker, images
from stack.heroku.data import Postgres, Redis
from stack.heroku.gate import Gate
from stack.heroku.inside import LOOPBACK, Inside
from stack.heroku.registry import Registry
from stack.heroku.requests import Head, answer
from stack.heroku.router import Router, join

HOST = "test.herokudev.com"
DOMAIN = "herokuapp.com"
COMMAND_SECONDS = 300
HTTPS = 443


class Heroku:
    def __init__(self, folder: Path) -> None:
        self.folder, self.key = folder, secrets.token_hex(16)
        self.network = Network()
        self.authority, self.stranger = Authority(made(folder / "ca")), Authority(made(folder / "other-ca"))
        self.postgres, self.redis = Postgres(self.network, self.authority), Redis(self.network, self.authority)
        self.registry = Registry(folder)
        self.registry.start()
        self.inside = Inside(folder, [HTTPS, self.registry.port])
        self.inside.knows(f"{name}.{HOST}" for name in ("api", "registry", "output", "particleboard"))
        self.api = Api(self.key, HOST, self._create, self._add)
        self.port = free_port()  # of the router, for people outside
        self.env = cli.environment(
            made(folder / "home"), self.authority.certificate, HOST, self.key, self.registry.address
        )
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="heroku", daemon=True).start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(30)
        self.postgres.wait_ready()
        self.redis.wait_ready()

    def shell(self, line: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
        """A line of somebody who is logged in. Its two outputs come as one."""
        return subprocess.run(
            self.inside.command(folder, "bash", "-c", line),
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_SECONDS,
        )

    def app(self, name: str) -> App:
        return self.api.apps[name]

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(end_others(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self.inside.close()
        self.registry.remove()
        self.network.remove()
        if pushed := images(f"{self.registry.address}/*/*"):
            docker("image", "rm", "--force", *pushed)

    async def _listen(self) -> None:
        certificate, key = self.authority.sign(f"*.{HOST}", f"*.{DOMAIN}")
        gate = Gate(
            certificate,
            key,
            {
                f"api.{HOST}": self.api.serve,
                f"output.{HOST}": self.api.output,
                f"particleboard.{HOST}": self.api.bills,
                f"registry.{HOST}": self._serve_registry,
                DOMAIN: self._route,
            },
        )
        await gate.listen(self.inside.listeners[HTTPS])
        await gate.listen(socket.create_server((LOOPBACK, self.port), backlog=128))
        await asyncio.start_server(self._relay, sock=self.inside.listeners[self.registry.port])

    async def _route(self, head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = head.get("host").partition(":")[0]
        app = next((each for each in self.api.apps.values() if each.domain == host), None)
        if app:
            await Router(app.where).serve(head, reader, writer)
        else:
            writer.write(answer(404, "No such app."))

    async def _serve_registry(self, head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head.set("connection", "close")
        await Router(lambda: (LOOPBACK, self.registry.port)).serve(head, reader, writer)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The registry under the same address inside as outside."""
        from_registry, to_registry = await asyncio.open_connection(LOOPBACK, self.registry.port)
        try:
            await join((reader, to_registry), (from_registry, writer), both_ways=True)
        finally:
            to_registry.close()
            writer.close()

    def _create(self, name: str, stack: str) -> App:
        app = App(name, stack, self.network)
        self.inside.knows([app.domain])
        return app

    def _add(self, app: App, plan: str) -> None:
        app.addons.append(plan)
        service = plan.partition(":")[0]
        app.set_config(
            {"DATABASE_URL": self.postgres.url} if service == "heroku-postgresql" else {"REDIS_URL": self.redis.url}
        )


async def end_others() -> None:
    """Every task of the loop but this one."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder
