"""This project in its two lines: the hub alone, which stores nothing, and the rooms, which store all."""

import sys

from bench.contenders.contender import PROGRAMS, Contender, Listening, Reachable, python_environment
from bench.load.talk import Talk
from bench.surroundings import Surroundings
from servers.app import environment

RATE = "1000000"  # messages a second of one socket: the limiter is not what is measured


class Hub(Contender):
    """A consumer on `realtime` alone."""

    def __init__(self, server: str, batch: bool) -> None:
        self.server, self.batch = server, batch
        self.name = f"hub, {server}" + ", batch" * batch

    def process(self, around: Surroundings) -> Reachable:
        env = python_environment(REDIS_URL=around.redis.url, WS_SERVER=self.server.lower())
        return Listening("hub", [sys.executable, str(PROGRAMS / "hub.py")], env)

    def talk(self, process: Reachable) -> Talk:
        return Talk(process.ws_url + "/{room}", say='"{body}"', subprotocol="plain.batch" if self.batch else "plain")


class Rooms(Contender):
    """The product: stored, acknowledged, ordered."""

    stores = True

    def __init__(self, server: str, batch: bool) -> None:
        self.server, self.batch = server, batch
        self.name = f"rooms, {server}" + ", batch" * batch

    def process(self, around: Surroundings) -> Reachable:
        env = environment(
            DATABASE_URL=around.new_database(),
            REDIS_URL=around.redis.url,
            WS_SERVER=self.server.lower(),
            MESSAGE_RATE=RATE,
        )
        around.image.migrate(env)
        return around.image.ws("rooms", env)

    def talk(self, process: Reachable) -> Talk:
        return Talk(
            process.ws_url + "/ws/room/{room}/",
            say='{"type":"message","id":"bench-{number}","body":"{body}"}',
            subprotocol="rooms.v1.batch" if self.batch else "rooms.v1",
            joined='"welcome"',
            order="total",
        )
