"""Durable, numbered, resumable topics for any Django app. The names listed here are public, all others internal.

`from topics import Refused, Topic` in an app's own topics.py; see docs/topics.md.
"""

from topics.errors import BadData, Busy, Conflict, NoSuchEvent, NoSuchTopic, Refused, Unreachable
from topics.events import Event
from topics.people import Person, person_of, remember_guest
from topics.putting_out import adisconnect, arecheck, disconnect, recheck
from topics.storing.replica import as_of
from topics.topic import Topic

__all__ = [
    "BadData",
    "Busy",
    "Conflict",
    "Event",
    "NoSuchEvent",
    "NoSuchTopic",
    "Person",
    "Refused",
    "Topic",
    "Unreachable",
    "adisconnect",
    "arecheck",
    "as_of",
    "disconnect",
    "person_of",
    "recheck",
    "remember_guest",
]

MODULES = [
    "admin",
    "client",
    "documents",
    "former",
    "known",
    "names",
    "news",
    "people",
    "rates",
    "shapes",
    "sockets",
    "testing",
    "wording",
]
"""Modules that are public as a whole: for apps with pages, limits, or a protocol of their own."""
