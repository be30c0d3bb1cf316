"""What the processes say to each other through the channel layer, in a message of several events.

During a rollout two versions do, so this is kept to as a protocol is. What is added gets the next VERSION: an event of
a new kind, which older processes ignore, or a field that nobody needs. Nothing is taken away, and nothing changes its
meaning. A process reads the fields that it knows, and what kind an event is by the first of KINDS that it has.
"""

import logging
from typing import Any, Final, NamedTuple

from realtime.seldom import Seldom, again

logger = logging.getLogger(__name__)

Event = dict[str, Any]
VERSION: Final = 5


class Kind(NamedTuple):
    fields: str
    since: int
    says: str


TYPE: Final = "hub.events"
MESSAGE: Final = Kind(
    "type of from room events at",
    1,
    "of an installation, from a process, to a log's group or (null) all; since 4 at: when the first was published, in "
    "seconds by the clock of that host",
)

KINDS: Final = {
    "seq": Kind(
        "seq epoch frame",
        1,
        "a stored event of the log with that epoch, by its number, as sockets hear it; since 5, where its trace is "
        "sampled, traceparent: that of W3C's Trace Context",
    ),
    "by": Kind("frame by", 1, "an ephemeral frame, for all but the person with that key"),
    "doubt": Kind("doubt", 1, "look whether the person with that key, or (null) whoever is in the room, may stay"),
    "spent": Kind("spent process", 1, "how many each key of a rate has taken at the process in a second, where many"),
    "presence": Kind("presence", 1, "an event of PRESENCE"),
    "to": Kind("frame to", 2, "an ephemeral frame, for the person with that key alone"),
    "notice": Kind("notice person out", 2, "as doubt, once by its number; out: those are put out"),
    "members": Kind("members question process", 2, "an event of MEMBERS"),
    "grows": Kind("frame grows", 3, "an ephemeral frame, for all: more of a stored event that is still being written"),
    "call": Kind("call", 3, "do what is done under that name; a hint"),
}

PRESENCE: Final = {  # beside their name, `presence`, and their `process`
    "delta": Kind("room number previous joined left", 1, "people {key: person} and [key]; previous 0: nobody else is"),
    "lease": Kind("number since recent hello", 1, "it lives; recent {room: number}; hello: it may have missed yours"),
    "ask": Kind("of rooms", 1, "the state of these rooms, from these processes"),
    "state": Kind("as_of rooms", 1, "[room, part, parts, {key: person}]: all its people there as of that number"),
    "goodbye": Kind("", 1, "it leaves, and its people with it"),
}

MEMBERS: Final = {  # beside `members`, `question` and `process`
    "?": Kind("room limit", 2, "who is there? at most so many by name"),
    "!": Kind("here", 2, "(people {key: person}, member_count, sure); null: nobody's socket is at this process"),
}


def ignore(event: Event) -> None:
    """A later version's."""
    kind = f"presence {event['presence']['presence']}" if "presence" in event else ", ".join(sorted(event))
    if (times := _ignored.due(kind := kind[:100])) is not None:
        logger.warning("an event of another version of this program is ignored: %s%s", kind, again(times))


_ignored = Seldom()
