"""The frames of the protocol topics.v1: what may come in, what goes out. Nothing here knows sockets or the database.

Every frame is one JSON object with a `type`, unescaped UTF-8, at most 64 KiB.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, Field, JsonValue, StringConstraints, TypeAdapter

from topics.wording import (
    MAX_NAME,
    PEOPLE_BYTES,
    Id,
    Ping,
    chosen_id,
    encode,
    encode_text,
    fitting,
    storable,
    timestamp,
    understood,
)

PROTOCOL: Final = "topics.v1"
BATCH_PROTOCOL: Final = "topics.v1.batch"


# --- Client to server ----------------------------------------------------------------------------


Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME), AfterValidator(storable)]
Seq = Annotated[int, Field(ge=0, lt=2**63)]
Epoch = Annotated[str, StringConstraints(max_length=32), AfterValidator(storable)]


class Join(BaseModel):
    """Follow a topic. `since` and `epoch`, both or neither, are the last number that the client has and its epoch."""

    type: Literal["join"]
    topic: Name
    since: Seq | None = None
    epoch: Epoch | None = None


class Leave(BaseModel):
    """Answered by `left`."""

    type: Literal["leave"]
    topic: Name


class Send(BaseModel):
    """Append. The same person's same id and data is the same event. The topic need not be joined."""

    type: Literal["send"]
    topic: Name
    id: Id = Field(default_factory=chosen_id)
    data: JsonValue


class Signal(BaseModel):
    """Tell the others now."""

    type: Literal["signal"]
    topic: Name
    data: JsonValue


class Read(BaseModel):
    """Everything up to that number has been read. Answered by `unread`."""

    type: Literal["read"]
    topic: Name
    seq: Seq


class Cancel(BaseModel):
    """Stop the event that grows: no more is written. Its end is a `change`."""

    type: Literal["cancel"]
    topic: Name
    seq: Seq


ClientFrame = Join | Leave | Send | Signal | Read | Cancel | Ping
SCHEMAS: Final = {  # the validators themselves: their adapters cost as much again
    "join": TypeAdapter(Join).validator,
    "leave": TypeAdapter(Leave).validator,
    "send": TypeAdapter(Send).validator,
    "signal": TypeAdapter(Signal).validator,
    "read": TypeAdapter(Read).validator,
    "cancel": TypeAdapter(Cancel).validator,
    "ping": TypeAdapter(Ping).validator,
}


def parse(text: str) -> ClientFrame:
    """Raises BadFrame with one of the codes bad_json, bad_frame, unknown_type."""
    return understood(text, SCHEMAS)  # type: ignore[no-any-return]


# --- Server to client ----------------------------------------------------------------------------

Shown = dict[str, Any]
"""A person as everybody may see it: {"key": str, "name": str, "guest": bool}."""


def welcome(you: Shown, ping_seconds: int, limits: dict[str, int]) -> str:
    return encode({"type": "welcome", "you": you, "ping_seconds": ping_seconds, "limits": limits})


def event(topic: str, seq: int, id: str, by: Shown | None, data: str, at: datetime, *, more: str = "") -> str:
    """`data` is JSON text, as it is stored. `more` are further fields, encoded."""
    return (
        f'{{"type":"event","topic":{word(topic)},"seq":{seq},"id":{encode_text(id)},"by":{person(by)},'
        f'"data":{data},"at":"{timestamp(at)}"{more}}}'
    )


CHANGE: Final = '{"type":"change"'  # how each begins


def change(topic: str, seq: int, about: int, by: Shown | None, data: str | None, at: datetime) -> str:
    """`data` is None where the event was retracted."""
    result = '"retracted":true' if data is None else f'"data":{data}'
    return (
        f'{CHANGE},"topic":{word(topic)},"seq":{seq},"about":{about},"by":{person(by)},'
        f'{result},"at":"{timestamp(at)}"}}'
    )


def more(topic: str, seq: int, at: int, text: str) -> str:
    """`text` stands at that offset in the text of an event that grows, in UTF-16 units as JavaScript counts them."""
    return f'{{"type":"more","topic":{word(topic)},"seq":{seq},"at":{at},"text":{encode(text)}}}'


def joined(
    topic: str,
    *,
    epoch: str,
    seq: int,
    recovered: bool,
    events: Iterable[str],
    members: str,
    member_count: int,
    unread: int | None = None,
) -> str:
    """`events`, and `members` as `people` gives them, are encoded already and put in as they are."""
    head = encode({"type": "joined", "topic": topic, "epoch": epoch, "seq": seq, "recovered": recovered})
    tail = f'"members":{members},"member_count":{member_count}'
    if unread is not None:
        tail += f',"unread":{unread}'
    return f'{head[:-1]},"events":[{",".join(events)}],{tail}}}'


def ack(topic: str, id: str, seq: int | None, at: datetime | None) -> str:
    """Without a number and a time where the topic took it and appended nothing."""
    where = f'"seq":{seq},"at":"{timestamp(at)}"' if seq and at else '"seq":null,"at":null'
    return f'{{"type":"ack","topic":{word(topic)},"id":{encode(id)},{where}}}'


def signal(topic: str, by: Shown | None, data: str) -> str:
    return f'{{"type":"signal","topic":{word(topic)},"by":{person(by)},"data":{data}}}'


def presence(topic: str, joined: list[Shown], left: list[Shown], member_count: int) -> str:
    return (
        f'{{"type":"presence","topic":{word(topic)},"joined":{people(joined)},"left":{people(left)},'
        f'"member_count":{member_count}}}'
    )


def seq(topic: str, number: int, epoch: str) -> str:
    return f'{{"type":"seq","topic":{word(topic)},"seq":{number},"epoch":"{epoch}"}}'


def unread(topic: str, number: int) -> str:
    return f'{{"type":"unread","topic":{word(topic)},"unread":{number}}}'


def left(topic: str, reason: str, detail: str = "") -> str:
    return encode({"type": "left", "topic": topic, "reason": reason} | ({"detail": detail} if detail else {}))


def error(
    code: str, detail: str, *, topic: str | None = None, id: str | None = None, retry_after_ms: int | None = None
) -> str:
    fields: dict[str, Any] = {"type": "error", "code": code, "detail": detail}
    fields |= {name: value for name, value in (("topic", topic), ("id", id)) if value is not None}
    if retry_after_ms is not None:
        fields["retry_after_ms"] = retry_after_ms
    return encode(fields)


def person(shown: Shown | None) -> str:
    return "null" if shown is None else _person(shown["key"], shown["name"], shown["guest"])


@lru_cache(maxsize=1_024)
def _person(key: str, name: str, guest: bool) -> str:
    """Encoded once for all that somebody does."""
    return encode({"key": key, "name": name, "guest": guest})


def people(persons: list[Shown]) -> str:
    """As many as PEOPLE_BYTES hold."""
    return f"[{','.join(fitting((person(shown) for shown in persons), PEOPLE_BYTES))}]"


@lru_cache(maxsize=1_024)
def word(text: str) -> str:
    return encode(text)
