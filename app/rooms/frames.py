"""The protocol's frames: what may come in, what goes out. Nothing here knows sockets or the database.

Every frame is one JSON object with a `type`, unescaped UTF-8, at most 64 KiB.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Final, Literal, Protocol

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, TypeAdapter, ValidationError

from topics.wording import (
    MAX_ID,
    PEOPLE_BYTES,
    Id,
    Ping,
    chosen_id,
    decode,
    encode,
    fitting,
    is_utf_8,
    storable,
    timestamp,
)

PROTOCOL: Final = "rooms.v1"
BATCH_PROTOCOL: Final = "rooms.v1.batch"
MAX_BODY: Final = 4_000


# --- Client to server ----------------------------------------------------------------------------


Body = Annotated[str, StringConstraints(min_length=1, max_length=MAX_BODY), AfterValidator(storable)]


class Say(BaseModel):
    type: Literal["message"]
    id: Id = Field(default_factory=chosen_id)
    body: Body


class Typing(BaseModel):
    type: Literal["typing"]


ClientFrame = Say | Typing | Ping
SCHEMAS: Final = {  # the validators themselves: their adapters cost as much again
    "message": TypeAdapter(Say).validator,
    "typing": TypeAdapter(Typing).validator,
    "ping": TypeAdapter(Ping).validator,
}


class BadFrame(Exception):
    """A frame that is refused: `code` for programs, `detail` for people, `id` where the frame had one."""

    def __init__(self, code: str, detail: str, id: str | None = None) -> None:
        super().__init__(detail)
        self.code, self.detail, self.id = code, detail, id


def parse(text: str) -> ClientFrame:
    """Raises BadFrame with one of the codes bad_json, bad_frame, unknown_type, too_long."""
    try:
        fields = decode(text)
    except (ValueError, RecursionError):
        raise BadFrame("bad_json", "A frame is one JSON object.") from None
    if not isinstance(fields, dict) or not isinstance(fields.get("type"), str):
        raise BadFrame("bad_frame", "A frame is a JSON object with a type.")
    schema = SCHEMAS.get(fields["type"])
    if schema is None:
        raise BadFrame("unknown_type", f"The types are {', '.join(SCHEMAS)}.", printable_id(fields))
    try:
        return schema.validate_python(fields, strict=True)  # type: ignore[no-any-return]
    except ValidationError as error:
        raise refusal(fields, error) from None


def refusal(fields: dict[str, Any], error: ValidationError) -> BadFrame:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "frame"
    if field == "body" and first["type"] == "string_too_long":
        return BadFrame("too_long", f"A body has at most {MAX_BODY} characters.", printable_id(fields))
    return BadFrame("bad_frame", f"{field}: {first['msg']}", printable_id(fields))


def printable_id(fields: dict[str, Any]) -> str | None:
    """The frame's id, if it is one that an answer can carry."""
    found = fields.get("id")
    if not isinstance(found, str) or not 0 < len(found) <= MAX_ID:
        return None
    return found if is_utf_8(found) else None


# --- Server to client ----------------------------------------------------------------------------


class Said(Protocol):
    """A stored message, whichever object holds it."""

    @property
    def seq(self) -> int: ...
    @property
    def client_id(self) -> str: ...
    @property
    def person(self) -> dict[str, Any]: ...
    @property
    def body(self) -> str: ...
    @property
    def at(self) -> datetime: ...


def message(said: Said) -> str:
    return (
        f'{{"type":"message","seq":{said.seq},"id":{encode(said.client_id)},"user":{person(**said.person)},'
        f'"body":{encode(said.body)},"at":"{timestamp(said.at)}"}}'
    )


@lru_cache(maxsize=1_024)
def person(**fields: Any) -> str:
    """Encoded once for all that somebody says."""
    return encode(fields)


def welcome(
    *,
    room: str,
    you: dict[str, Any],
    key: str,
    epoch: str,
    seq: int,
    recovered: bool,
    messages: Iterable[str],
    members: str,
    member_count: int,
    ping_seconds: int,
    limits: dict[str, int],
) -> str:
    """The first frame. `messages`, and `members` as `people` gives them, are encoded already and put in as they are."""
    named = {"type": "welcome", "room": room, "you": you, "key": key}
    head = encode({**named, "epoch": epoch, "seq": seq, "recovered": recovered})
    tail = encode({"member_count": member_count, "ping_seconds": ping_seconds, "limits": limits})
    return f'{head[:-1]},"messages":[{",".join(messages)}],"members":{members},{tail[1:]}'


def ack(id: str, seq: int, at: datetime) -> str:
    return f'{{"type":"ack","id":{encode(id)},"seq":{seq},"at":"{timestamp(at)}"}}'


def presence(joined: list[dict[str, Any]], left: list[dict[str, Any]], member_count: int) -> str:
    return f'{{"type":"presence","joined":{people(joined)},"left":{people(left)},"member_count":{member_count}}}'


def people(persons: list[dict[str, Any]]) -> str:
    """As many as PEOPLE_BYTES hold."""
    return f"[{','.join(fitting((person(**who) for who in persons), PEOPLE_BYTES))}]"


def typing(user: dict[str, Any]) -> str:
    return encode({"type": "typing", "user": user})


def seq(number: int) -> str:
    return f'{{"type":"seq","seq":{number}}}'


def error(code: str, detail: str, id: str | None = None, retry_after_ms: int | None = None) -> str:
    fields: dict[str, Any] = {"type": "error", "code": code, "detail": detail}
    if id is not None:
        fields["id"] = id
    if retry_after_ms is not None:
        fields["retry_after_ms"] = retry_after_ms
    return encode(fields)
