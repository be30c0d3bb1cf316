"""What all contenders have in common."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from bench import usage
from bench.load.talk import Talk
from bench.surroundings import Surroundings
from servers.app import Server, environment
from servers.ports import free_port
from servers.process import Process

PROGRAMS = Path(__file__).parent / "programs"
TESTS = Path(__file__).parents[2]
APP = TESTS.parent / "app"


class Contender(ABC):
    """A line of the table: one way to serve rooms of sockets. `stores` is for those that keep what is said."""

    name: str
    stores = False

    @abstractmethod
    def process(self, around: Surroundings) -> "Reachable":
        """Its server, not yet started."""

    @abstractmethod
    def talk(self, process: "Reachable") -> Talk:
        """How its clients talk."""


class Listening(Process):
    """A server process on a port of its own. `{port}` in its command is replaced by that."""

    def __init__(self, name: str, command: list[str], env: Mapping[str, str], cwd: Path | None = None) -> None:
        self.port = free_port()
        words = [word.replace("{port}", str(self.port)) for word in command]
        super().__init__(name, words, self._listens, env={**env, "PORT": str(self.port)}, cwd=cwd)

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def _listens(self) -> bool:
        try:
            return usage.listens(self.pid, self.port)
        except OSError:
            return False  # it has gone


Reachable = Server | Listening  # has a `ws_url`


def python_environment(**variables: str) -> dict[str, str]:
    """The tests and the application are on the path."""
    return environment(PYTHONPATH=f"{TESTS}:{APP}", **variables)
