"""An ASGI application that does nothing, under the servers' own commands: what a socket costs there."""

import sys

from bench.contenders.contender import Contender, Listening, Reachable, python_environment
from bench.contenders.tutorial import COMMANDS
from bench.load.talk import Talk
from bench.surroundings import Surroundings


class Bare(Contender):
    def __init__(self, server: str) -> None:
        self.server = server
        self.name = f"bare {server}"

    def process(self, around: Surroundings) -> Reachable:
        command = [sys.executable, *COMMANDS[self.server][:-1], "bench.contenders.programs.bare:application"]
        return Listening("bare", command, python_environment())

    def talk(self, process: Reachable) -> Talk:
        return Talk(process.ws_url + "/{room}")
