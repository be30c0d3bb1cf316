"""Which room names there are, and how they stand in a URL.

NFC; 1 to 64 characters, which topics.names judges.
"""

import unicodedata

from django.urls import register_converter

from topics.names import is_room_name

MAX_NAME = 64


class InvalidRoomName(ValueError):
    def __init__(self) -> None:
        super().__init__(
            f"A room's name is 1 to {MAX_NAME} letters, digits, '_' or '-', in any script, without spaces."
        )


def valid_name(name: str) -> bool:
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
