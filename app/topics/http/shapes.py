"""What the server answers over plain HTTP, as models: for the document, and for tests."""

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from topics import shapes
from topics.documents.schemas import reference
from topics.shapes import Change, Count, Epoch, Event, Milliseconds, OnlyWhere, Person, Seq, Shape, Time, Topic, Word
from topics.tokens.tokens import TICKET, TICKET_SECONDS
from topics.wording import Id


class Page(Shape):
    """Events in order, and where the log ends."""

    topic: Topic
    epoch: Epoch
    seq: Count
    events: list[Event | Change]


class Members(Shape):
    """Some who follow the topic now, and how many all are."""

    topic: Topic
    members: list[Person]
    member_count: Count


STREAM_FRAMES: Final = (
    *(shapes.Welcome, shapes.Joined, shapes.Event, shapes.Change, shapes.More, shapes.Signal, shapes.Presence),
    *(shapes.Position, shapes.Unread, shapes.Goodbye),
)
FRAME: Final = {
    "contentMediaType": "application/json",
    "contentSchema": {"oneOf": [reference(frame) for frame in STREAM_FRAMES]},
}


class StreamEvent(Shape):
    """One event of the stream. Lines that begin with a colon say that it lives."""

    id: Annotated[str, StringConstraints(pattern=r"^[^/]{0,32}/[0-9]+$")] = OnlyWhere
    """The position to resume from. Without it the position stays as it is."""
    retry: Milliseconds = OnlyWhere
    """With the last one: for how long to wait before coming back."""
    data: Annotated[str, Field(json_schema_extra=FRAME)]
    """A frame of topics.v1."""


class Appended(Shape):
    """Stored for good. Number and time are null where the topic took it and appended nothing."""

    id: Id
    seq: Seq | None
    at: Time | None


CODES: Final = [
    *("bad_request", "bad_frame", "refused", "bad_method", "no_such_topic", "forbidden", "login_required", "conflict"),
    *("somebody_else", "rate_limited", "unavailable", "wrong_server", "not_growing"),
]
Code = Annotated[Word, Field(examples=CODES, description="For programs: one of these, or one of the topic's own.")]


class Reason(Shape):
    """Why an event was not taken."""

    code: Code
    detail: str
    """For people."""
    retry_after_ms: Milliseconds = OnlyWhere


class NotAppended(Shape):
    id: Id
    error: Reason


class Cancelled(Shape):
    """The event is told to grow no more; its end is a change of it."""

    topic: Topic
    seq: Seq


class Ticket(Shape):
    """A secret that works once, as `Authorization: Bearer` or as a socket's subprotocol."""

    ticket: Annotated[str, StringConstraints(pattern=f"^{TICKET}")]
    expires_in: Annotated[int, Field(ge=1, le=TICKET_SECONDS)]
    """Seconds."""


class Results(Shape):
    """What became of each, in the order of the list."""

    results: list[Appended | NotAppended]


class Problem(Shape):
    """Problem details (RFC 9457)."""

    title: str
    status: int
    code: Code
    detail: str
    """For people."""
    retry_after_ms: Milliseconds = OnlyWhere
    """Where waiting helps; Retry-After says the same in seconds."""
    index: Count = OnlyWhere
    """The place of the event at fault in the list that was posted, from 0."""
