"""What the server says in rooms.v1, as models: for the document, and for tests. `frames` words the same by hand."""

from typing import Annotated, Final, Literal

from pydantic import StringConstraints

from rooms.frames import MAX_BODY, Keys
from topics.shapes import Count, Epoch, Goodbye, Milliseconds, OnlyWhere, Pong, Seq, Shape, Time
from topics.wording import Id

Body = Annotated[str, StringConstraints(max_length=MAX_BODY)]


PersonKey = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$|^$")]


class Person(Shape):
    """Somebody, as everybody may see her."""

    key: PersonKey
    """The same wherever this person appears, also under another name. Empty for nobody: a program said it by itself."""
    name: str
    guest: bool


class Reactor(Shape):
    key: PersonKey
    name: str


class Reaction(Shape):
    """A sign that people have put on a message."""

    emoji: str
    count: Count
    """People."""
    by: list[Reactor]
    """The first of them, ten at most."""
    rest: str = OnlyWhere
    """Of each of the others four characters: in base64 the first three bytes of what her key is in hexadecimal."""


class File(Shape):
    """It is at /room/{room_name}/files/{id}/, and a picture's preview at …/{id}/preview/."""

    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    name: str
    type: str
    size: Count
    """Bytes."""
    width: Count = OnlyWhere
    """Of a picture, in pixels."""
    height: Count = OnlyWhere


class Message(Shape):
    """Somebody said something. Comes to its sender, too."""

    type: Literal["message"]
    seq: Seq
    id: Id
    user: Person
    body: Body
    at: Time
    reply: Seq = OnlyWhere
    """It answers the message of that number."""
    mentions: Keys = OnlyWhere
    """The keys of those who are mentioned in it."""
    reactions: list[Reaction] = OnlyWhere
    """The signs that are on it by now."""
    files: list[File] = OnlyWhere
    """What hangs on it."""
    about: Seq = OnlyWhere
    """The message of that number has this body from now on; `user` is who changed it."""
    edited: Literal[True] = OnlyWhere
    """Other words were here before."""
    retracted: Literal[True] = OnlyWhere
    """It was removed, and has no body any more."""


class Limits(Shape):
    body: Count
    """Characters of a message."""
    per_second: Count
    """Messages of one person, over all sockets."""
    burst: Count
    """Messages at once."""


class Welcome(Shape):
    """Always first."""

    type: Literal["welcome"]
    room: str
    you: Person
    key: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    """The same on all sockets of one person; says nothing else."""
    epoch: Epoch
    seq: Count
    recovered: bool
    """Whether the messages begin at since + 1; else they are the latest, and replace what the client had."""
    messages: list[Message]
    members: list[Person]
    member_count: Count
    ping_seconds: Count
    """The server's longest silence."""
    limits: Limits


class Ack(Shape):
    """The message is stored for good. Number and time are null for `amend`, `retract` and `react`: what became of the
    message comes as a `message` with `about`.
    """

    type: Literal["ack"]
    id: Id
    seq: Seq | None
    at: Time | None


class Presence(Shape):
    """Who has come and gone: people, not connections; never oneself."""

    type: Literal["presence"]
    joined: list[Person]
    left: list[Person]
    member_count: Count


class Typing(Shape):
    """Never about oneself."""

    type: Literal["typing"]
    user: Person


class Position(Shape):
    """The room's last number. Who has not got it comes back with `since`."""

    type: Literal["seq"]
    seq: Count


class Error(Shape):
    """A frame was refused. `id` is the frame's own, where it had one."""

    type: Literal["error"]
    code: Literal[
        "bad_json",
        "bad_frame",
        "unknown_type",
        "too_long",
        "rate_limited",
        "too_many_rooms",
        "muted",
        "banned",
        "read_only",
        "no_such_topic",
        "forbidden",
        "unavailable",
    ]
    """For programs."""
    detail: str
    """For people."""
    id: Id = OnlyWhere
    retry_after_ms: Milliseconds = OnlyWhere
    """Where waiting helps."""


SERVER_FRAMES: Final = (Welcome, Message, Ack, Presence, Typing, Position, Error, Goodbye, Pong)
