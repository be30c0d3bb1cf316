"""What the frames of every protocol here have in common: JSON, ids, times, and the words that mean the same.

Nothing here knows sockets or the database.
"""

import json
import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, StringConstraints

MAX_ID: Final = 64
PEOPLE_BYTES: Final = 15 * 1024  # in one list of people: two of them, or one and a page of the log, fit a frame
PONG: Final = '{"type":"pong"}'

encode: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class BadFrame(Exception):
    """A frame that is refused: `code` for programs, `detail` for people; `id` and `topic` where the frame had them."""

    def __init__(self, code: str, detail: str, id: str | None = None, topic: str | None = None) -> None:
        super().__init__(detail)
        self.code, self.detail, self.id, self.topic = code, detail, id, topic


def storable(text: str) -> str:
    """Text that UTF-8 and Postgres can hold."""
    if "\x00" in text:
        raise ValueError("must not contain NUL")
    if not is_utf_8(text):
        raise ValueError("must not contain half a surrogate pair")
    return text


def is_utf_8(text: str) -> bool:
    """Whether there is no half of a surrogate pair in it, which JSON can spell and nothing can send."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def chosen_id() -> str:
    return secrets.token_hex(8)


Id = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID), AfterValidator(storable)]


class Ping(BaseModel):
    """Answered by `pong`."""

    type: Literal["ping"]


def no_number(name: str) -> None:
    raise ValueError(f"{name} is not JSON, though Python writes it")


decode: Callable[[str], Any] = json.JSONDecoder(parse_constant=no_number).decode


@lru_cache(maxsize=16)
def timestamp(at: datetime) -> str:
    """RFC 3339 in UTC with milliseconds. What is stored together has one time, which is worded once."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fitting(encoded: Iterable[str], most_bytes: int) -> list[str]:
    """As many as fit from the front, in bytes of UTF-8."""
    found: list[str] = []
    for frame in encoded:
        most_bytes -= len(frame.encode()) + 1
        if most_bytes < 0:
            break
        found.append(frame)
    return found
