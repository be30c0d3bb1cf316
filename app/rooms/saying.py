"""What the data of a message say, and why they cannot become others."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from rooms import reactions
from rooms.frames import MAX_BODY
from topics import BadData, Busy, Event, NoSuchEvent, Person, Refused

GONE: Final = _("There is no such message any more.")


class Unchanged(Exception):
    """It is so already."""


def numbered(seq: Any) -> int:
    """Raises Refused."""
    if type(seq) is not int or not 0 < seq < 2**63:
        raise Refused("A message's number is 1, 2, 3…", code="bad_frame")
    return seq


def is_own(event: Event, person: Person) -> Event:
    """The event, where the person has said it. Raises Refused."""
    if not person.key or event.by is None or event.by.key != person.key:
        raise Refused(_("You can change only what you have said yourself."), code="forbidden")
    return event


@contextmanager
def changing() -> Iterator[None]:
    try:
        yield
    except Unchanged:
        pass
    except (reactions.Full, BadData):
        raise Refused(_("So many people have done so that no more are counted."), code="bad_frame") from None
    except NoSuchEvent:  # just removed in another tab
        raise Refused(GONE, code="bad_frame") from None
    except Busy:
        raise Refused(_("It could not be changed just now: try again."), code="unavailable") from None


def body_of(data: Any) -> str | None:
    """What was said, where that is what the data are."""
    body = data.get("body") if isinstance(data, dict) else None
    return body if isinstance(body, str) and 0 < len(body) <= MAX_BODY else None


def words_of(data: Any) -> str | None:
    """The same, which may be nothing where there are files."""
    if isinstance(data, dict) and "files" in data and data.get("body", "") == "":
        return ""
    return body_of(data)


def reply_of(data: Any) -> int | None:
    """The number of the message that this answers."""
    seq = data.get("reply") if isinstance(data, dict) else None
    return seq if type(seq) is int and 0 < seq < 2**63 else None
