"""Heroku on this machine: API, git, registry, router and dynos, and a shell of somebody who uses them.

Not of it: accounts, prices, and everything that the tests do not use. The Docker engine, which lives outside of the
shell's namespaces, finds the registry by the same name.
"""

import asyncio
import secrets
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from servers.ports import free_port
from stack.heroku import cli
from stack.heroku.api import Api
from stack.heroku.app import App
from stack.heroku.build import build_and_release
from stack.heroku.certificates import Authority
from stack.heroku.containers import Network, docker, images
from stack.heroku.data import Postgres, Redis
from stack.heroku.engine import Introduction
from stack.heroku.gate import Gate
from stack.heroku.git import Git
from stack.heroku.inside import LOOPBACK, Inside
from stack.heroku.registry import Registry
from stack.heroku.requests import Head, answer
from stack.heroku.router import Router

HOST = "test.herokudev.com"
DOMAIN = "herokuapp.com"
COMMAND_SECONDS = 300
BACKLOG = 1_024  # of the router
HTTPS = 443


class Heroku:
    def __init__(self, folder: Path) -> None:
        self.folder, self.key = folder, secrets.token_hex(16)
        self.network = Network()
        self.authority, self.stranger = Authority(made(folder / "ca")), Authority(made(folder / "other-ca"))
        self.postgres, self.redis = Postgres(self.network, self.authority), Redis(self.network, self.authority)
        self.registry = Registry(folder, self.key)
        self.registry.start()
        self.git = Git(made(folder / "git"), self.key, self._build)
        self.inside = Inside(folder, [HTTPS])
        self.inside.knows(f"{name}.{HOST}" for name in ("api", "git", "registry", "output", "particleboard"))
        self._for_the_engine = ".".join(["127", *(str(secrets.randbelow(250) + 1) for _ in range(3))])
        self.api = Api(self.key, HOST, self._create, self._add)
        self.port = free_port()  # of the router, for people outside
        self.env = cli.environment(made(folder / "home"), self.authority.certificate, HOST, self.key)
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="heroku", daemon=True).start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(30)
        self.postgres.wait_ready()
        self.redis.wait_ready()
        self._introduction = Introduction(folder, f"registry.{HOST}", self._for_the_engine, self.authority.certificate)

    def typed(self, line: str, folder: Path, **env: str) -> "subprocess.Popen[str]":
        """A line of somebody who is logged in. Its two outputs come as one."""
        return subprocess.Popen(
            self.inside.command(folder, "bash", "-c", line),
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def shell(self, line: str, folder: Path, **env: str) -> "subprocess.CompletedProcess[str]":
        with self.typed(line, folder, **env) as process:
            said, _ = process.communicate(timeout=COMMAND_SECONDS)
        print(said)
        return subprocess.CompletedProcess(line, process.returncode, said)

    def run(self, line: str, folder: Path) -> str:
        """What the line said; AssertionError when it fails."""
        done = self.shell(line, folder)
        assert done.returncode == 0, f"{line}\n{done.stdout}"
        return done.stdout

    def app(self, name: str) -> App:
        return self.api.apps[name]

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(end_others(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._introduction.end()
        self.inside.close()
        self.registry.remove()
        self.network.remove()
        if made_here := images(f"registry.{HOST}/*/*") + images(f"{self.network.name}-*"):
            docker("image", "rm", "--force", *made_here)

    async def _listen(self) -> None:
        certificate, key = self.authority.sign(f"*.{HOST}", f"*.{DOMAIN}")
        gate = Gate(
            certificate,
            key,
            {
                f"api.{HOST}": self.api.serve,
                f"output.{HOST}": self.api.output,
                f"particleboard.{HOST}": self.api.bills,
                f"git.{HOST}": self.git.serve,
                f"registry.{HOST}": self.registry.serve,
                DOMAIN: self._route,
            },
        )
        await gate.listen(self.inside.listeners[HTTPS])
        await gate.listen(socket.create_server((LOOPBACK, self.port), backlog=BACKLOG))
        await gate.listen(socket.create_server((self._for_the_engine, HTTPS), backlog=128))
        await self.git.listen()

    async def _route(self, head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = head.get("host").partition(":")[0]
        app = next((each for each in self.api.apps.values() if each.domain == host), None)
        if app:
            await Router(app.where).serve(head, reader, writer)
        else:
            writer.write(answer(404, "No such app."))

    def _build(self, app: str, folder: Path, commit: str) -> Iterator[str]:
        return build_and_release(self.app(app), folder, commit, f"{self.network.name}-{app}")

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
