"""Following topics from anywhere else, in async Python. It knows nothing of Django, and of this project only the wire.

    from topics.client import connect

    async with connect("wss://rooms.example.org/ws/", cookies={"sessionid": "…"}) as socket:
        votes = await socket.join("votes/lunch")
        await votes.send({"option": "pizza"})
        async for event in votes:
            print(event.seq, event.data)

By hand: `python -m topics.client ws://localhost:8000 votes/lunch`. The names listed here are public.
"""

from topics.client.errors import ClientError, Closed, Refused, Unreachable
from topics.client.events import Ack, Event, More, Person, Position, Presence, Reset, Signal
from topics.client.joined import JoinedTopic
from topics.client.socket import Socket, connect

__all__ = [
    "Ack",
    "ClientError",
    "Closed",
    "Event",
    "JoinedTopic",
    "More",
    "Person",
    "Position",
    "Presence",
    "Refused",
    "Reset",
    "Signal",
    "Socket",
    "Unreachable",
    "connect",
]
