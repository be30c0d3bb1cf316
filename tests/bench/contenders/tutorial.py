"""The consumer of the Channels tutorial, on either server, with either channel layer of channels_redis."""

import sys

from bench.contenders.contender import Contender, Listening, Reachable, python_environment
from bench.load.talk import Talk
from bench.surroundings import Surroundings

APPLICATION = "torture.tutorial:application"
COMMANDS = {
    "Daphne": [*("-m", "daphne", "-b", "127.0.0.1", "-p", "{port}", "-v", "0"), APPLICATION],
    "uvicorn": [
        *("-m", "uvicorn", "--host", "127.0.0.1", "--port", "{port}", "--ws", "websockets-sansio"),
        *("--ws-per-message-deflate", "false", "--no-access-log", "--log-level", "warning", "--lifespan", "off"),
        APPLICATION,
    ],
}
LAYERS = {"core": "core layer", "pubsub": "pub/sub layer"}


class Tutorial(Contender):
    def __init__(self, layer: str, server: str) -> None:
        self.layer, self.server = layer, server
        self.name = f"tutorial, {LAYERS[layer]}, {server}"

    def process(self, around: Surroundings) -> Reachable:
        env = python_environment(REDIS_URL=around.redis.url, LAYER=self.layer)
        return Listening("tutorial", [sys.executable, *COMMANDS[self.server]], env)

    def talk(self, process: Reachable) -> Talk:
        return Talk(process.ws_url + "/ws/chat/{room}/")
