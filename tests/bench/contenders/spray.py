"""No contender but a yardstick: a server that does nothing but send the same bytes to everybody."""

import sys

from bench.contenders.contender import Contender, Listening, python_environment
from bench.load.talk import Talk
from bench.surroundings import Surroundings
from servers.process import Process


class Spray(Contender):
    def __init__(self) -> None:
        self.name = "ceiling"

    def process(self, around: Surroundings) -> Process:
        return Listening("spray", [sys.executable, "-m", "bench.contenders.programs.spray"], python_environment())

    def talk(self, process: Process) -> Talk:
        assert isinstance(process, Listening)
        return Talk(process.ws_url + "/{room}")
