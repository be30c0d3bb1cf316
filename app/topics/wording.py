"""What the frames of every protocol here have in common: JSON, ids, times, and the words that mean the same.

Nothing here knows sockets or the database.
"""

import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, StringConstraints, ValidationError
from pydantic_core import from_json

MAX_ID: Final = 64
MAX_NAME: Final = 200  # of a topic, in characters
PEOPLE_BYTES: Final = 15 * 1024  # in one list of people: two of them, or one and a page of the log, fit a frame
PONG: Final = '{"type":"pong"}'

encode: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
encode_text: Callable[[str], str] = encode_basestring  # the same of a text alone, for a quarter of the time


class BadFrame(Exception):
    """A frame that is refused: `code` for programs, `detail` for people; `id` and `topic` where the frame had them."""

    def __init__(self, code: str, detail: object, id: str | None = None, topic: str | None = None) -> None:
        super().__init__(detail)
        self.code, self.detail, self.id, self.topic = code, str(detail), id, topic


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


_decode: Callable[[str], Any] = json.JSONDecoder(parse_constant=no_number).decode


def decode(text: str) -> Any:
    """Raises ValueError or RecursionError. Some JSON, such as half of a surrogate pair, only Python's own parser takes,
    which needs four times as long.
    """
    try:
        return from_json(text, allow_inf_nan=False, cache_strings="keys")
    except ValueError:
        return _decode(text)


def understood(text: str, schemas: Mapping[str, Any], too_long: Mapping[str, object] | None = None) -> Any:
    """What a client says, by the validator of its type.

    Raises BadFrame: bad_json, bad_frame, unknown_type, or too_long for a field that has its sentence in `too_long`.
    """
    try:
        fields = decode(text)
    except (ValueError, RecursionError):
        raise BadFrame("bad_json", "A frame is one JSON object.") from None
    if not isinstance(fields, dict) or not isinstance(fields.get("type"), str):
        raise BadFrame("bad_frame", "A frame is a JSON object with a type.")
    detail: object
    schema = schemas.get(fields["type"])
    try:
        if schema is not None:
            return schema.validate_python(fields, strict=True)
        code, detail = "unknown_type", f"The types are {', '.join(schemas)}."
    except ValidationError as error:
        code, detail = fault_of(error, too_long or {})
    raise BadFrame(code, detail, printable(fields, "id", MAX_ID), printable(fields, "topic", MAX_NAME))


def fault_of(error: ValidationError, too_long: Mapping[str, object]) -> tuple[str, object]:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "frame"
    if first["type"] == "string_too_long" and field in too_long:
        return "too_long", too_long[field]
    return "bad_frame", f"{field}: {first['msg']}"


def printable(fields: dict[str, Any], name: str, longest: int) -> str | None:
    """The frame's id or topic, if it is one that an answer can carry."""
    found = fields.get(name)
    if not isinstance(found, str) or not 0 < len(found) <= longest:
        return None
    return found if is_utf_8(found) else None


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
