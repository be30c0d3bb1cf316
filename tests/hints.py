"""What a ws process hears from the channel layer, said by nobody: late, twice, in any order or never."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from channels_redis.pubsub import RedisPubSubChannelLayer

from client import new_id
from realtime.layers import group_of
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

    async def publish(self, topic: str, events: Sequence[Event]) -> None:
        """Tells every process that has the topic's sockets of these events, in one message of the layer."""
        key = f"topic:{topic}"
        message = {"type": "hub.events", "of": self.installation, "from": "outside", "room": key}
        await self.layer.group_send(group_of(key, self.installation), {**message, "events": list(events)})


@asynccontextmanager
async def layer(stack: Stack) -> AsyncIterator[Outside]:
    outside = Outside(stack)
    try:
        yield outside
    finally:
        await outside.layer.flush()


def store_in_room(stack: Stack, room: str, bodies: Sequence[str]) -> tuple[list[Event], list[str]]:
    """The same for what a guest without a cookie says in a room."""
    stack.open_room(room)
    return store(stack, f"room/{room}", [{"body": body} for body in bodies], author="nobody")


def store(stack: Stack, topic: str, data: Sequence[Any], author: str = "") -> tuple[list[Event], list[str]]:
    """Appends to the topic's log and tells nobody: the events that would have been published, and their ids."""
    with psycopg.connect(stack.database.url) as connection:
        connection.execute(
            "INSERT INTO topics_log (name, epoch, seq, pruned, created_at, changed_at)"
            " VALUES (%s, %s, 0, 0, now(), now()) ON CONFLICT DO NOTHING",
            [topic, new_id()[:16]],
        )
        key, last, epoch = connection.execute(
            "SELECT id, seq, epoch FROM topics_log WHERE name = %s FOR UPDATE", [topic]
        ).fetchone() or (0, 0, "")
        rows = [(key, seq, new_id(), encode(one), author, bool(author)) for seq, one in enumerate(data, last + 1)]
        connection.cursor().executemany(
            "INSERT INTO topics_entry (log_id, seq, client_id, data, author, name, guest, retracted, at)"
            " VALUES (%s, %s, %s, %s, '', %s, %s, false, now())",
            rows,
        )
        connection.execute("UPDATE topics_log SET seq = %s, changed_at = now() WHERE id = %s", [last + len(rows), key])
    events = [event(topic, epoch, seq, id, text, author) for _, seq, id, text, *_ in rows]
    return events, [id for _, _, id, *_ in rows]


def event(topic: str, epoch: str, seq: int, id: str, data: str, author: str) -> Event:
    """An event as one process tells another; `data` is JSON text."""
    by = {"key": "0123456789abcdef", "name": author, "guest": True} if author else None
    about = {"type": "event", "topic": topic, "seq": seq, "id": id, "by": by, "data": json.loads(data), "at": AT}
    first = {"epoch": epoch} if seq == 1 else {}
    return {"seq": seq, "epoch": epoch, "frame": encode(about | first)}
