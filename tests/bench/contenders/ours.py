"""This project in its three lines: the hub alone stores nothing, rooms and a foreign app's topic store all."""

import sys
from typing import ClassVar

from bench.contenders.contender import PROGRAMS, TESTS, Contender, Listening, Reachable, python_environment
from bench.load.talk import Talk
from bench.surroundings import Surroundings
from servers.app import environment

HALLS = {"DJANGO_SETTINGS_MODULE": "bench.halls.settings", "PYTHONPATH": str(TESTS)}
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
    line = "rooms"
    settings: ClassVar[dict[str, str]] = {}

    def __init__(self, server: str, batch: bool) -> None:
        self.server, self.batch = server, batch
        self.name = f"{self.line}, {server}" + ", batch" * batch

    def process(self, around: Surroundings) -> Reachable:
        env = environment(
            DATABASE_URL=around.new_database(),
            REDIS_URL=around.redis.url,
            WS_SERVER=self.server.lower(),
            MESSAGE_RATE=RATE,
            **self.settings,
        )
        around.image.migrate(env)
        return around.image.ws(self.line, env)

    def talk(self, process: Reachable) -> Talk:
        return Talk(
            process.ws_url + "/ws/room/{room}/",
            say='{"type":"message","id":"bench-{number}","body":"{body}"}',
            subprotocol="rooms.v1.batch" if self.batch else "rooms.v1",
            joined='"welcome"',
            order="total",
        )


class Topics(Rooms):
    """The same for a topic of a foreign app, on the socket of many topics."""

    line = "topics"
    settings = HALLS

    def talk(self, process: Reachable) -> Talk:
        join = '{"type":"join","topic":"hall/{room}"}'
        return Talk(
            process.ws_url + "/ws/",
            say='{"type":"send","topic":"hall/{room}","id":"bench-{number}","data":{"body":"{body}"}}',
            subprotocol="topics.v1.batch" if self.batch else "topics.v1",
            joined='"joined"',
            answers=(('{"type":"welcome"', join), ('[{"type":"welcome"', join)),
            order="total",
        )
