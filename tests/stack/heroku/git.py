"""Where `git push heroku main` goes: git's own smart HTTP, and a hook that has it built and released meanwhile."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from stack.heroku.requests import Head, answer, password, read_body, streamed

BRANCH = "refs/heads/main"
REJECTED = " !     "  # begins the last line of a push that is not taken
Build = Callable[[str, Path, str], Iterable[str]]
# Runs where the push waits, while what was pushed is in quarantine still. git sends what it prints as `remote:` lines.
HOOK = f"""#!/bin/sh
while read -r _ new ref; do
  if [ "$ref" != {BRANCH} ]; then echo "Pushed to $ref: only main is built."; continue; fi
  folder=$(mktemp -d "$DOUBLE/pushed-XXXXXX")
  git archive "$new" | tar -x -C "$folder"
  "$PYTHON" -c "$ASK" "$DOUBLE/hook" "$APP $folder $new" || exit 1
done
"""
ASK = f"""
import socket, sys
with socket.socket(socket.AF_UNIX) as double:
    double.connect(sys.argv[1])
    double.sendall(sys.argv[2].encode() + b"\\n")
    for line in double.makefile():
        print(line, end="", flush=True)
sys.exit(line.startswith("{REJECTED}"))
"""


class Git:
    """`build(app, folder, commit)` yields lines as it goes."""

    def __init__(self, folder: Path, key: str, build: Build) -> None:
        self._folder, self._key, self._build = folder, key, build

    async def listen(self) -> None:
        """To the hook."""
        await asyncio.start_unix_server(self._serve_hook, self._folder / "hook")

    async def serve(self, head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = await read_body(head, reader)
        if password(head) != self._key:
            writer.write(answer(401, "Log in.", WWW_Authenticate='Basic realm="git"'))
            return
        app = head.path[1:].partition(".git")[0]
        self._repository(app)
        await self._run(self._environment(head, app), body, writer)

    def _repository(self, app: str) -> None:
        folder = self._folder / f"{app}.git"
        if not folder.exists():
            subprocess.run(["git", "init", "--quiet", "--bare", folder], check=True)
            hook = folder / "hooks" / "pre-receive"
            hook.write_text(HOOK)
            hook.chmod(0o755)

    def _environment(self, head: Head, app: str) -> dict[str, str]:
        """CGI's, and the hook's."""
        path, _, query = head.path.partition("?")
        return {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self._folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "heroku",
            "REQUEST_METHOD": head.method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": head.get("content-type"),
            "CONTENT_LENGTH": head.get("content-length"),
            "HTTP_CONTENT_ENCODING": head.get("content-encoding"),
            "GIT_PROTOCOL": head.get("git-protocol"),
            "DOUBLE": str(self._folder),
            "PYTHON": sys.executable,
            "ASK": ASK,
            "APP": app,
        }

    @staticmethod
    async def _run(env: dict[str, str], body: bytes, writer: asyncio.StreamWriter) -> None:
        """git's answer as it comes."""
        pipe = asyncio.subprocess.PIPE
        backend = await asyncio.create_subprocess_exec("git", "http-backend", env=env, stdin=pipe, stdout=pipe)
        assert backend.stdin
        assert backend.stdout
        feeding = asyncio.create_task(feed(backend.stdin, body))
        lines = (await backend.stdout.readuntil(b"\r\n\r\n")).decode().splitlines()
        fields = dict(line.split(": ", 1) for line in lines if line)
        if "Status" in fields:
            writer.write(answer(int(fields["Status"][:3]), "git refuses."))
        else:
            writer.write(streamed(fields["Content-Type"]))
            while piece := await backend.stdout.read(65536):
                writer.write(piece)
                await writer.drain()
        await feeding
        await backend.wait()

    async def _serve_hook(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        app, folder, commit = (await reader.readline()).decode().split()
        lines: asyncio.Queue[str] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def work() -> None:
            for line in self._build(app, Path(folder), commit):
                loop.call_soon_threadsafe(lines.put_nowait, line)
            loop.call_soon_threadsafe(lines.put_nowait, "")

        threading.Thread(target=work, daemon=True).start()
        while line := await lines.get():
            writer.write(line.encode())
            await writer.drain()
        writer.close()


async def feed(stdin: asyncio.StreamWriter, body: bytes) -> None:
    with suppress(OSError):
        stdin.write(body)
        await stdin.drain()
    stdin.close()
