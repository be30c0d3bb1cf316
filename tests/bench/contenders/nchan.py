"""nchan: publish and subscribe in C, inside nginx; as it comes, and with TCP_NODELAY, which it does not set."""

import shutil
import sys
import tempfile
from pathlib import Path

from bench.contenders.contender import PROGRAMS, Contender, Listening, Reachable
from bench.load.talk import Talk
from bench.surroundings import Surroundings
from servers.app import environment

CONFIGURATION = PROGRAMS / "nchan.conf"


class Nchan(Contender):
    def __init__(self, nodelay: bool) -> None:
        self.nodelay = nodelay
        self.name = "nchan" + ", TCP_NODELAY" * nodelay

    def process(self, around: Surroundings) -> Reachable:
        return Server(self.nodelay)

    def talk(self, process: Reachable) -> Talk:
        return Talk(process.ws_url + "/{room}")


class Server(Listening):
    def __init__(self, nodelay: bool) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="nchan-", ignore_cleanup_errors=True)
        prefix = Path(self.folder.name)
        prefix.chmod(0o755)  # started by root, its worker is nobody
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        before = [sys.executable, str(PROGRAMS / "nodelay.py"), "{port}"] if nodelay else []
        nginx = [program, "-p", str(prefix), "-c", str(prefix / "nchan.conf")]
        super().__init__("nchan", [*before, *nginx], environment())
        (prefix / "nchan.conf").write_text(CONFIGURATION.read_text().replace("{port}", str(self.port)))
