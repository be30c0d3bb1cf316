"""Which room names there are, and how they stand in a URL.

NFC; 1 to 64 characters, which topics.names judges. The name of a room that is not open to everybody is made by the
server, begins with OPAQUE and says nothing: who may not come in learns neither that there is one nor what it is called.
"""

import re
import secrets
import unicodedata

from django.urls import register_converter
from django.utils.translation import gettext as _

from topics.names import is_room_name

MAX_NAME = 64
OPAQUE = "~"  # in no name that somebody chooses
OPAQUE_NAME = re.compile(OPAQUE + "[0-9a-f]{32}")


class InvalidRoomName(ValueError):
    def __init__(self) -> None:
        super().__init__(
            _("A room's name is 1 to {most} letters, digits, '_' or '-', in any script, without spaces.").format(
                most=MAX_NAME
            )
        )


def is_opaque(name: str) -> bool:
    return name.startswith(OPAQUE)


def opaque_name() -> str:
    return OPAQUE + secrets.token_hex(16)


def valid_name(name: str) -> bool:
    if is_opaque(name):
        return OPAQUE_NAME.fullmatch(name) is not None
    return 0 < len(name) <= MAX_NAME and unicodedata.is_normalized("NFC", name) and is_room_name(name)


def checked_name(name: str) -> str:
    """The name in NFC. Raises InvalidRoomName."""
    name = unicodedata.normalize("NFC", name)
    if not valid_name(name):
        raise InvalidRoomName
    return name


class RoomNameConverter:
    regex = r"[^/]+"

    def to_python(self, value: str) -> str:
        return checked_name(value)

    def to_url(self, value: str) -> str:
        return value


register_converter(RoomNameConverter, "room")
