"""The protocol's frames: what may come in, what goes out. Nothing here knows sockets or the database.

Every frame is one JSON object with a `type`, unescaped UTF-8, at most 64 KiB.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, TypeAdapter

from topics.wording import (
    PEOPLE_BYTES,
    Id,
    Ping,
    chosen_id,
    decode,
    encode,
    encode_text,
    fitting,
    storable,
    timestamp,
    understood,
)

PROTOCOL: Final = "rooms.v1"
BATCH_PROTOCOL: Final = "rooms.v1.batch"
MAX_BODY: Final = 4_000

Shown = dict[str, Any]
"""A person as everybody may see one: {"key": str, "name": str, "guest": bool}."""

NOBODY: Final[Shown] = {"key": "", "name": "", "guest": False}


# --- Client to server ----------------------------------------------------------------------------


Body = Annotated[str, StringConstraints(min_length=1, max_length=MAX_BODY), AfterValidator(storable)]


Seq = Annotated[int, Field(ge=1, lt=2**63)]


Keys = Annotated[list[Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]], Field(max_length=10)]


class Say(BaseModel):
    """Say it. The same id with the same body and reply by the same person is the same message."""

    type: Literal["message"]
    id: Id = Field(default_factory=chosen_id)
    body: Body
    reply: Seq | None = None
    """The number of the message that it answers, which was said in this room."""
    mentions: Keys | None = None
    """The keys of those who are mentioned. Accounts are also found by `@name` in the body."""
    files: (
        Annotated[list[Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]], Field(max_length=100)] | None
    ) = None
    """The ids of files that were sent before, in this room, by the same person."""


class Amend(BaseModel):
    """Other words for what one has said oneself; the old ones are not kept. Acknowledged without a number."""

    type: Literal["amend"]
    id: Id = Field(default_factory=chosen_id)
    seq: Seq
    body: Body
    mentions: Keys | None = None
    """As in `message`: who was mentioned before is not any more."""


class Retract(BaseModel):
    """Remove what one has said oneself. Acknowledged without a number."""

    type: Literal["retract"]
    id: Id = Field(default_factory=chosen_id)
    seq: Seq


class React(BaseModel):
    """Put a sign on what somebody has said, or take it back. Acknowledged without a number."""

    type: Literal["react"]
    id: Id = Field(default_factory=chosen_id)
    seq: Seq
    emoji: Annotated[str, StringConstraints(min_length=1, max_length=8), AfterValidator(storable)]
    """One of 👍 ❤️ 😂 🎉 😮 😢."""
    on: bool = True


class Typing(BaseModel):
    """The others are told, at most once a second."""

    type: Literal["typing"]


ClientFrame = Say | Amend | Retract | React | Typing | Ping
SCHEMAS: Final = {  # the validators themselves: their adapters cost as much again
    "message": TypeAdapter(Say).validator,
    "amend": TypeAdapter(Amend).validator,
    "retract": TypeAdapter(Retract).validator,
    "react": TypeAdapter(React).validator,
    "typing": TypeAdapter(Typing).validator,
    "ping": TypeAdapter(Ping).validator,
}
TOO_LONG: Final = {"body": f"A body has at most {MAX_BODY} characters."}


def parse(text: str) -> ClientFrame:
    """Raises BadFrame with one of the codes bad_json, bad_frame, unknown_type, too_long."""
    return understood(text, SCHEMAS, TOO_LONG)  # type: ignore[no-any-return]


# --- Server to client ----------------------------------------------------------------------------


def message(seq: int, id: str, user: Shown, body: str, at: str, **more: Any) -> str:
    """`more` are fields that only some messages have."""
    rest = encode(more)[1:-1]
    return (
        f'{{"type":"message","seq":{seq},"id":{encode(id)},"user":{person(**user)},'
        f'"body":{encode(body)},"at":"{at}"{"," + rest if rest else ""}}}'
    )


@lru_cache(maxsize=1_024)
def person(**fields: Any) -> str:
    """Encoded once for all that somebody does."""
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


def people(persons: list[Shown]) -> str:
    """As many as PEOPLE_BYTES hold."""
    return f"[{','.join(fitting((person(**who) for who in persons), PEOPLE_BYTES))}]"


def ack(id: str, seq: int | None, at: datetime | None) -> str:
    time = f'"{timestamp(at)}"' if at else "null"
    return f'{{"type":"ack","id":{encode_text(id)},"seq":{seq or "null"},"at":{time}}}'


def error(code: str, detail: str, id: str | None = None, retry_after_ms: int | None = None) -> str:
    fields: dict[str, Any] = {"type": "error", "code": code, "detail": detail}
    if id is not None:
        fields["id"] = id
    if retry_after_ms is not None:
        fields["retry_after_ms"] = retry_after_ms
    return encode(fields)


# --- What topics.v1 says, in these words -----------------------------------------------------------
#
# A frame is cut where its fields meet, in the order that topics.delivery.frames gives them: it is worded once for each
# room and process, but up to fifty times for each socket that is welcomed. What stands between two fields is in no text
# in JSON, where a quote has a backslash before it.

BY: Final = ',"by":{"key":"'
USER: Final = ',"user":{"key":"'
BODY: Final = '},"data":{"body":'
AT: Final = '},"at":"'
TYPING: Final = '},"data":{"typing":true}}'
TIME: Final = len("2026-01-02T03:04:05.678Z")


def translated(frame: str) -> str:
    """The empty text where rooms.v1 has no word for it."""
    kind = frame[9 : frame.index('"', 9)]
    return TRANSLATIONS[kind](frame) if kind in TRANSLATIONS else ""


def from_event(frame: str) -> str:
    head, _, rest = frame.partition(BY)
    who, _, rest = rest.partition(BODY)
    body, found, rest = rest.partition(AT)
    if not found or body[0] != '"' or '","' in body or body[-1] != '"':
        return from_anything(frame)
    numbered = head.partition(',"seq":')[2]
    return f'{{"type":"message","seq":{numbered}{USER}{who}}},"body":{body},"at":"{rest[:TIME]}"}}'


def from_anything(frame: str) -> str:
    """What is no plain message: an answer, changed or taken back, or appended by a program. It has a number, too, and
    the text that is there by now, if any.
    """
    fields = decode(frame)
    data = fields.get("data") if isinstance(fields.get("data"), dict) else {}
    body, id = data.get("body"), fields.get("id") or f"change-{fields['seq']}"
    more = {name: fields[name] for name in ("about", "retracted") if name in fields}
    if data.get("edited") is True:
        more["edited"] = True
    if type(reply := data.get("reply")) is int and reply > 0:
        more["reply"] = reply
    more |= {name: data[name] for name in ("mentions", "reactions", "files") if isinstance(data.get(name), list)}
    said = body if isinstance(body, str) else ""
    return message(fields["seq"], id, fields["by"] or NOBODY, said, fields["at"], **more)


def from_presence(frame: str) -> str:
    return '{"type":"presence","joined":' + frame.partition(',"joined":')[2]


def from_seq(frame: str) -> str:
    number = frame.partition(',"seq":')[2].partition(",")[0]
    return f'{{"type":"seq","seq":{number}}}'


def from_signal(frame: str) -> str:
    who, typing, _ = frame.partition(BY)[2].partition(TYPING)
    return f'{{"type":"typing"{USER}{who}}}}}' if typing else ""


TRANSLATIONS: Final = {
    "event": from_event,
    "change": from_anything,
    "presence": from_presence,
    "seq": from_seq,
    "signal": from_signal,
}
