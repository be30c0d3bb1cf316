"""A room as a topic: who may talk in it, what may be said, and that its first message makes it."""

from typing import Any

from django.conf import settings

import rooms.converters  # noqa: F401  (registers the converter that the route uses)
from rooms import making
from rooms.frames import MAX_BODY
from topics import Person, Refused, Topic


class RoomTopic(Topic):
    """What is said is {"body": "…"}; that somebody is typing is the signal {"typing": true}."""

    route = "room/<room:room>"
    rate = None
    new_per_hour = None  # rooms are counted where they are made
    room: str

    async def may(self, person: Person, act: str) -> bool:
        """Whoever may come in: guests where ALLOW_GUESTS=1."""
        return settings.ALLOW_GUESTS or not person.guest

    async def received(self, person: Person, data: Any) -> Any:
        if body_of(data) is None or len(data) > 1:
            raise Refused(f'Say {{"body": "…"}}, with 1 to {MAX_BODY} characters.')
        return data

    def begin(self, person: Person | None) -> None:
        """Raises Refused where the person has made too many rooms lately."""
        making.make(self.room, person)


def body_of(data: Any) -> str | None:
    """What was said, where that is what the data are."""
    body = data.get("body") if isinstance(data, dict) else None
    return body if isinstance(body, str) and 0 < len(body) <= MAX_BODY else None
