"""What the server says, as models: for the documents that are made of them, and for tests, which hold frames to them.

`frames` words the same by hand, since each frame is worded for very many; nothing here is used for that. Nothing here
knows sockets or the database.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from topics.wording import Id

Seq = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]
Milliseconds = Annotated[int, Field(ge=0)]
Epoch = Annotated[str, StringConstraints(max_length=32)]
Topic = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z_]+$")]
Time = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$"),
    Field(description="RFC 3339, in UTC, with milliseconds."),
]


class Shape(BaseModel):
    """These fields and no others."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


def absent(schema: dict[str, Any]) -> None:
    """A field that is left out where it would say nothing; it is never null."""
    schema.pop("default", None)


OnlyWhere: Final[Any] = Field(default=None, json_schema_extra=absent)
"""A field that only some have."""


class Person(Shape):
    """Somebody, as everybody may see her."""

    key: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    """The same wherever this person appears; says nothing else."""
    name: str
    guest: bool


# --- What both protocols say --------------------------------------------------------------------------


class Pong(Shape):
    """The answer to `ping`."""

    type: Literal["pong"]


class Goodbye(Shape):
    """The last frame before the server closes on purpose."""

    type: Literal["goodbye"]
    reason: Word
    after_ms: Milliseconds
    """For how long to wait before coming back."""
    detail: str = OnlyWhere
    """For people: why, where the topic says so."""


# --- topics.v1 ----------------------------------------------------------------------------------------


class Limits(Shape):
    topics: Count
    """Of one socket."""
    data_bytes: Count
    """Of an event's data, as JSON."""
    signal_bytes: Count
    """Of a signal's data, as JSON."""


class Welcome(Shape):
    """Once for the socket, first."""

    type: Literal["welcome"]
    you: Person
    ping_seconds: Count
    """The server's longest silence."""
    limits: Limits


class Event(Shape):
    """Something stored and numbered. Comes to its sender, too."""

    type: Literal["event"]
    topic: Topic
    seq: Seq
    id: Id
    by: Person | None
    data: JsonValue
    at: Time
    retracted: Literal[True] = OnlyWhere
    """It was taken away since: its data is null."""
    epoch: Epoch = OnlyWhere
    """With the topic's first event."""


class Change(Shape):
    """An earlier event, `about`, has other data from here on, or was retracted: it has either, not both."""

    type: Literal["change"]
    topic: Topic
    seq: Seq
    about: Seq
    by: Person | None
    data: JsonValue = OnlyWhere
    retracted: Literal[True] = OnlyWhere
    at: Time


class More(Shape):
    """More of the text of an event that grows. May get lost: the end has the whole text."""

    type: Literal["more"]
    topic: Topic
    seq: Seq
    """The event's."""
    at: Count
    """Where the text stands in the event's, in UTF-16 units."""
    text: str


class Joined(Shape):
    """Before anything else of the topic."""

    type: Literal["joined"]
    topic: Topic
    epoch: Epoch
    """Empty before the topic's first event."""
    seq: Count
    recovered: bool
    """Whether the events begin at since + 1; else they are the latest, and replace what the client had."""
    events: list[Event | Change]
    members: list[Person]
    member_count: Count
    unread: Count = OnlyWhere
    """Where the topic counts it."""


class Ack(Shape):
    """The event is stored for good. Number and time are null where the topic took it and appended nothing."""

    type: Literal["ack"]
    topic: Topic
    id: Id
    seq: Seq | None
    at: Time | None


class Signal(Shape):
    """Has no number, and may get lost. Never about oneself."""

    type: Literal["signal"]
    topic: Topic
    by: Person | None
    data: JsonValue


class Presence(Shape):
    """Who has come and gone: people, not sockets; never oneself."""

    type: Literal["presence"]
    topic: Topic
    joined: list[Person]
    left: list[Person]
    member_count: Count


class Position(Shape):
    """The topic's last number. Who has not got it joins again with `since`."""

    type: Literal["seq"]
    topic: Topic
    seq: Count
    epoch: Epoch


class Unread(Shape):
    """Events of others that the person has not read, counted up to 1,000."""

    type: Literal["unread"]
    topic: Topic
    unread: Count


class Left(Shape):
    """Nothing more of the topic follows."""

    type: Literal["left"]
    topic: Topic
    reason: Literal["asked", "forbidden", "disconnected", "deleted"]
    detail: str = OnlyWhere
    """For people: why it is forbidden, where the topic says so."""


CODES: Final = [
    *("no_such_topic", "forbidden", "refused", "conflict", "rate_limited", "too_many_topics"),
    *("too_many_new_topics", "too_long", "bad_json", "bad_frame", "unknown_type", "unavailable", "not_growing"),
]


class Error(Shape):
    """A frame was refused. `topic` and `id` are the frame's own, where it had them."""

    type: Literal["error"]
    code: Annotated[Word, Field(examples=CODES)]
    """For programs: one of these, or one that the topic itself gave to `Refused`."""
    detail: str
    """For people."""
    topic: Topic = OnlyWhere
    id: Id = OnlyWhere
    retry_after_ms: Milliseconds = OnlyWhere
    """Where waiting helps."""


SERVER_FRAMES: Final = (
    *(Welcome, Joined, Event, Change, More, Ack, Signal, Presence, Position, Unread, Left, Error),
    *(Goodbye, Pong),
)
