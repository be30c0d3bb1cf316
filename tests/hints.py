"""What a ws process hears from the channel layer, said by nobody: late, twice, in any order or never."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from hashlib import blake2b
from typing import Any

import psycopg
from channels_redis.pubsub import RedisPubSubChannelLayer

from client import new_id
from servers.stack import Stack

Event = dict[str, Any]
PREFIX = "rooms"  # as the settings name it
encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode  # as topics word their frames
AT = "2020-02-02T20:20:20.000Z"


class Outside:
    """The stack's channel layer, as a process that is none of its own sees it."""

    def __init__(self, stack: Stack) -> None:
        self.layer = RedisPubSubChannelLayer(hosts=[stack.redis.url], prefix=PREFIX)
        ((self.installation,),) = stack.database.rows("SELECT name FROM topics_installation")

    async def publish(self, room: str, events: Sequence[Event]) -> None:
        """Tells every process that has the room's sockets of these events, in one message of the layer."""
        key = f"topic:room/{room}"
        message = {"type": "hub.events", "of": self.installation, "from": "outside", "room": key}
        group = f"{self.installation}.room.{blake2b(key.encode(), digest_size=16).hexdigest()}"
        await self.layer.group_send(group, {**message, "events": list(events)})


@asynccontextmanager
async def layer(stack: Stack) -> AsyncIterator[Outside]:
    outside = Outside(stack)
    try:
        yield outside
    finally:
        await outside.layer.flush()


def store(stack: Stack, room: str, bodies: Sequence[str]) -> tuple[list[Event], list[str]]:
    """Appends to the room's log and tells nobody: the events that would have been published, and the messages' ids."""
    stack.open_room(room)
    with psycopg.connect(stack.database.url) as connection:
        key, last, epoch = connection.execute(
            "SELECT id, seq, epoch FROM topics_log WHERE name = %s FOR UPDATE", [f"room/{room}"]
        ).fetchone() or (0, 0, "")
        rows = [(key, seq, new_id(), body) for seq, body in enumerate(bodies, last + 1)]
        connection.cursor().executemany(
            "INSERT INTO topics_entry (log_id, seq, client_id, data, author, name, guest, retracted, at)"
            " VALUES (%s, %s, %s, %s, '', 'nobody', true, false, now())",
            [(key, seq, id, encode({"body": body})) for key, seq, id, body in rows],
        )
        connection.execute("UPDATE topics_log SET seq = %s, changed_at = now() WHERE id = %s", [last + len(rows), key])
    return [event(room, epoch, seq, id, body) for _, seq, id, body in rows], [id for _, _, id, _ in rows]


def event(room: str, epoch: str, seq: int, id: str, body: str) -> Event:
    """A message as one process tells another."""
    by = {"key": "0123456789abcdef", "name": "nobody", "guest": True}
    about = {"type": "event", "topic": f"room/{room}", "seq": seq, "id": id, "by": by}
    return {"seq": seq, "epoch": epoch, "frame": encode({**about, "data": {"body": body}, "at": AT})}
