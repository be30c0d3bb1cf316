"""Everybody who is measured, in the order of the table."""

from bench.contenders.bare import Bare
from bench.contenders.contender import Contender
from bench.contenders.nchan import Nchan
from bench.contenders.ours import Hub, Rooms, Topics
from bench.contenders.socketio import SocketIO
from bench.contenders.spray import Spray
from bench.contenders.tutorial import Tutorial

SERVERS = ("Daphne", "uvicorn")

PEERS: list[Contender] = [
    *(Tutorial(layer, server) for layer in ("core", "pubsub") for server in SERVERS),
    SocketIO(redis=False),
    SocketIO(redis=True),
    *(Nchan(nodelay) for nodelay in (False, True)),
]
OURS: list[Hub | Rooms] = [
    *(Hub(server, batch) for batch in (False, True) for server in SERVERS),
    *(kind(server, batch) for kind in (Rooms, Topics) for batch in (False, True) for server in SERVERS),
]
BARE: list[Contender] = [Bare(server) for server in SERVERS]
CEILING = Spray()
ALL: list[Contender] = [*PEERS, *OURS, *BARE, CEILING]
