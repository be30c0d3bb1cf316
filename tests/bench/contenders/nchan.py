"""nchan: publish and subscribe in C, inside nginx."""

import shutil
import tempfile
from pathlib import Path

from bench.contenders.contender import PROGRAMS, Contender, Listening, Reachable
from bench.load.talk import Talk
from bench.surroundings import Surroundings
from servers.app import environment

CONFIGURATION = PROGRAMS / "nchan.conf"


class Nchan(Contender):
    name = "nchan"

    def process(self, around: Surroundings) -> Reachable:
        return Server()

    def talk(self, process: Reachable) -> Talk:
        return Talk(process.ws_url + "/{room}")


class Server(Listening):
    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="nchan-", ignore_cleanup_errors=True)
        prefix = Path(self.folder.name)
        prefix.chmod(0o755)  # started by root, its worker is nobody
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        super().__init__("nchan", [program, "-p", str(prefix), "-c", str(prefix / "nchan.conf")], environment())
        (prefix / "nchan.conf").write_text(CONFIGURATION.read_text().replace("{port}", str(self.port)))
