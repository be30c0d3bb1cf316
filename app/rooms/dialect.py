"""rooms.v1 as a dialect of a room's topic."""

from datetime import datetime
from typing import Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from rooms import frames
from topics.people import shown
from topics.sockets import Dialect, Shown, Welcome

LIMITS: Final = {"body": frames.MAX_BODY, "per_second": settings.MESSAGE_RATE, "burst": settings.MESSAGE_BURST}

# What is refused for a reason that rooms.v1 knows by another word.
WORDS: Final = {
    "conflict": ("bad_frame", _("You have said something else with this id.")),
    "refused": ("bad_frame", _("This cannot be said here.")),
}


class RoomsV1(Dialect):
    """An event is a `message`, the signal {"typing": true} is `typing`, and a person is shown as in topics.v1."""

    def translate(self, frame: str) -> str:
        return frames.translated(frame)

    def parse(self, text: str) -> frames.ClientFrame:
        return frames.parse(text)

    def welcome(self, welcome: Welcome) -> str:
        return frames.welcome(
            room=welcome.topic.room,
            you=shown(welcome.you) or frames.NOBODY,
            key=welcome.you.public_key,
            epoch=welcome.epoch,
            seq=welcome.seq,
            recovered=welcome.recovered,
            messages=welcome.events,
            members=welcome.members,
            member_count=welcome.member_count,
            ping_seconds=welcome.ping_seconds,
            limits=LIMITS,
        )

    def people(self, people: list[Shown]) -> str:
        return frames.people(people)

    def ack(self, id: str, seq: int | None, at: datetime | None) -> str:
        return frames.ack(id, seq, at)

    def error(self, code: str, detail: str, id: str | None = None, retry_after_ms: int | None = None) -> str:
        code, words = WORDS.get(code, (code, detail))
        return frames.error(code, str(words), id, retry_after_ms)
