"""No contender but a yardstick: a server that does nothing but send the same bytes to everybody."""

import sys

from bench.contenders.contender import Contender, Listening, Reachable, python_environment
from bench.load.talk import Talk
from bench.surroundings import Surroundings


class Spray(Contender):
    def __init__(self) -> None:
        self.name = "ceiling"

    def process(self, around: Surroundings) -> Reachable:
        return Listening("spray", [sys.executable, "-m", "bench.contenders.programs.spray"], python_environment())

    def talk(self, process: Reachable) -> Talk:
        return Talk(process.ws_url + "/{room}")
