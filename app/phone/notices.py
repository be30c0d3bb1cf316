"""What a notification says: the room and who, and what was said only where she wants that."""

import json
from typing import Final, NamedTuple

from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from phone import levels
from phone.models import ALL, NOTHING, Due
from phone.subscriptions import owner
from rooms.belonging import title_of
from rooms.mentions import mentions_of
from rooms.moderation.hiding import of_account
from rooms.saying import body_of
from rooms.topics import Lobby, RoomTopic
from topics import Event

LOOKED_AT: Final = 100  # of a log's events up to the one to be told of
WORDS: Final = 120  # characters of what was said


class Notice(NamedTuple):
    """`tag`: of several with the same one, the last is shown."""

    payload: bytes
    tag: str


def notice(due: Due) -> Notice | None:
    """None where there is nothing to tell any more: she has read it, it was removed, or it is none of hers by now."""
    browser, topic = due.subscription, RoomTopic(room=due.room.name)
    person = owner(browser)
    if person is None:
        browser.delete()
        return None
    level = levels.level(due.room, person)
    if level == NOTHING or not topic.is_open_to(person):
        return None
    reading = Lobby.reading(person, topic)
    read = reading.read if reading else 0
    events = topic.events(after=max(read, due.seq - LOOKED_AT), before=due.seq + 1, limit=LOOKED_AT)
    hidden = of_account(person)
    new = [event for event in events if is_new(event, due) and event.by and event.by.public_key not in hidden]
    mentions = [event for event in new if browser.public_key in mentions_of(event.data)]
    if not (mentions or (new and level == ALL)):
        return None
    with translation.override(browser.language or None):
        said = mentioned(mentions) if mentions else written(new)
    new = mentions or new
    said += f"\n{words(new[-1])}" if browser.words else ""
    address = f"{reverse('room', args=[topic.room])}?at={new[-1].seq}#m{new[-1].seq}"
    told = {
        "title": title_of(topic.room, person),
        "body": said,
        "url": address,
        "tag": topic.name,
        "lang": browser.language,
    }
    return Notice(json.dumps(told, ensure_ascii=False).encode(), topic.name)


def is_new(event: Event, due: Due) -> bool:
    by = event.by and event.by.key
    is_said = event.about is None and not event.retracted
    return is_said and by not in {None, due.subscription.person} and event.at >= due.subscription.made_at


def mentioned(new: list[Event]) -> str:
    if len(new) == 1:
        return said_of(new, _("%(who)s mentioned you"))
    many = ngettext("%(count)d mention of you, by %(who)s", "%(count)d mentions of you, the last by %(who)s", len(new))
    return said_of(new, many)


def written(new: list[Event]) -> str:
    if len(new) == 1:
        return said_of(new, _("A message from %(who)s"))
    many = ngettext("%(count)d message, from %(who)s", "%(count)d messages, the last from %(who)s", len(new))
    return said_of(new, many)


def said_of(new: list[Event], sentence: str) -> str:
    by = new[-1].by
    return sentence % {"count": len(new), "who": by.name if by else ""}


def words(event: Event) -> str:
    said = " ".join((body_of(event.data) or "").split())
    return said if len(said) <= WORDS else said[: WORDS - 1] + "…"
