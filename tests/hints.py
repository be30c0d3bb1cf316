"""What a ws process hears from the channel layer, said by nobody: late, twice, in any order or never."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from channels_redis.pubsub import RedisPubSubChannelLayer

from client import new_id
from servers.stack import Stack

Event = dict[str, Any]
PREFIX = "rooms"  # as the settings name it
AT = "2020-02-02T20:20:20.000Z"


class Outside:
    """The stack's channel layer, as a process that is none of its own sees it."""

    def __init__(self, stack: Stack) -> None:
        self.layer = RedisPubSubChannelLayer(hosts=[stack.redis.url], prefix=PREFIX)
        ((self.installation,),) = stack.database.rows("SELECT name FROM topics_installation")

    async def publish(self, room: int, events: Sequence[Event]) -> None:
        """Tells every process that has the room's sockets of these events, in one message of the layer."""
        message = {"type": "hub.events", "of": self.installation, "from": "outside", "room": str(room)}
        await self.layer.group_send(f"{self.installation}.room.{room}", {**message, "events": list(events)})


@asynccontextmanager
async def layer(stack: Stack) -> AsyncIterator[Outside]:
    outside = Outside(stack)
    try:
        yield outside
    finally:
        await outside.layer.flush()


def store(stack: Stack, room: str, bodies: Sequence[str]) -> tuple[int, list[Event], list[str]]:
    """Appends to the room's log and tells nobody.

    The room's key, the events that would have been published, and the messages' ids.
    """
    stack.open_room(room)
    with psycopg.connect(stack.database.url) as connection:
        key, last, epoch = connection.execute(
            "SELECT id, seq, epoch FROM rooms_room WHERE name = %s FOR UPDATE", [room]
        ).fetchone() or (0, 0, "")
        rows = [(key, seq, new_id(), body) for seq, body in enumerate(bodies, last + 1)]
        connection.cursor().executemany(
            "INSERT INTO rooms_message (room_id, seq, client_id, body, author, guest, at)"
            " VALUES (%s, %s, %s, %s, 'nobody', true, now())",
            rows,
        )
        connection.execute("UPDATE rooms_room SET seq = %s, changed_at = now() WHERE id = %s", [last + len(rows), key])
    return key, [event(epoch, seq, id, body) for _, seq, id, body in rows], [id for _, _, id, _ in rows]


def event(epoch: str, seq: int, id: str, body: str) -> Event:
    """A message as one process tells another."""
    user = {"name": "nobody", "guest": True}
    frame = {"type": "message", "seq": seq, "id": id, "user": user, "body": body, "at": AT}
    return {"seq": seq, "epoch": epoch, "frame": json.dumps(frame)}
