"""A room as a topic: who may talk in it, what may be said, and that its first message makes it."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, Final

from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from files import keeping
from files.attached import are_ids, attached
from rooms import belonging, making, reactions
from rooms.converters import OPAQUE, is_opaque  # which registers the converter that the route uses
from rooms.frames import MAX_BODY
from rooms.mentions import are_keys, mentioned
from rooms.moderation import force, slowly
from rooms.roles import role_of
from rooms.saying import GONE, Unchanged, body_of, changing, is_own, numbered, reply_of, words_of
from topics import Event, NoSuchEvent, Person, Refused, Topic
from topics.news import News
from topics.people import public_key_of

NEVER: Final = _("The message that this answers is not in this room.")
SAY: Final = f'Say {{"body": "…"}}, with 1 to {MAX_BODY} characters.'
SAID: Final = {"body", "reply", "mentions", "files"}
CHANGED: Final = {"about", "body", "mentions"}
REACTED: Final = {"about", "react", "on"}
EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})


class RoomTopic(Topic):
    """What is said is {"body": "…"}, with "reply" and the number of the message that it answers, if it answers one, and
    "mentions" with the keys of those who are mentioned; that somebody is typing is the signal {"typing": true}.

    Who has said it may send {"about": its number, "body": "…"}, with "mentions" or without, or {"about": its number,
    "retract": true}: then it has other words, and "edited": true beside them, or none any more. Everybody may send
    {"about": its number, "react": "👍", "on": true}, or false to take it back: see rooms.reactions.
    """

    route = "room/<room:room>"
    private = f"room/{OPAQUE}"
    rate = None
    new_per_hour = None  # rooms are counted where they are made
    searched = ("body",)
    room: str

    async def may(self, person: Person, act: str) -> bool:
        """Open rooms: guests where ALLOW_GUESTS=1, without a query. The others: their members. Raises Refused where who
        keeps order has said otherwise.
        """
        why = await self.restricted(person, act)
        if is_opaque(self.room):
            known = await database_sync_to_async(role_of)(self.room, person) is not None
        else:
            known = settings.ALLOW_GUESTS or not person.guest
        if why is not None and (known or why.code == "banned"):
            raise why
        return known

    async def restricted(self, person: Person, act: str) -> Refused | None:
        in_force = await force.here(self.room)
        if in_force.is_news_of(person):
            await database_sync_to_async(force.bar)(self.room, person)
        return in_force.refusal(person, act)

    def is_open_to(self, person: Person) -> bool:
        """Whether the person may read it, for sync code that tells nobody why not."""
        try:
            return bool(async_to_sync(self.may)(person, "read"))
        except Refused:
            return False

    @classmethod
    def of_reader(cls, person: Person) -> list[str]:
        return [f"room/{name}" for name in belonging.names_for(person)]

    @classmethod
    def readers_of(cls, names: Collection[str], people: Collection[str]) -> dict[str, set[str]]:
        found = belonging.members_among([name.removeprefix("room/") for name in names], people)
        return {f"room/{name}": keys for name, keys in found.items()}

    async def received(self, person: Person, data: Any) -> Any:
        if isinstance(data, dict) and "about" in data:
            return await database_sync_to_async(self.changed)(person, data)
        body = words_of(data)
        if body is None or data.keys() - SAID:
            raise Refused(SAY)
        if seconds := (force.at_once(self.room) or await force.here(self.room)).slow_seconds:
            await database_sync_to_async(slowly.speak)(self.room, person, seconds)
        if len(data) == 1 and "@" not in body:
            return data
        return await database_sync_to_async(self.said)(data, person)

    def said(self, data: dict[str, Any], person: Person) -> dict[str, Any]:
        """What is said about an earlier message, which may be removed by now, mentions somebody, or has files. Raises
        Refused.
        """
        body, seq = words_of(data), reply_of(data)
        if body is None or data.keys() - SAID:
            raise Refused(SAY)
        if "reply" in data and seq is None:
            raise Refused('Say {"body": "…", "reply": 41}.', code="bad_frame")
        if seq is not None and not self.numbered([seq]):
            raise Refused(NEVER, code="bad_frame")
        mentions = self.mentions(data | {"body": body})
        return {"body": body} | ({} if seq is None else {"reply": seq}) | self.with_files(data, person) | mentions

    def with_files(self, data: dict[str, Any], person: Person) -> dict[str, Any]:
        if "files" not in data:
            return {}
        if not are_ids(data["files"], settings.FILES_PER_MESSAGE):
            raise Refused(f"A message has at most {settings.FILES_PER_MESSAGE} files, by their ids.", code="bad_frame")
        try:
            return {"files": keeping.said(self.name, person, data["files"])}
        except keeping.Missing:
            raise Refused("A file is not there any more: attach it again.", code="bad_frame") from None

    def changed(self, person: Person, data: dict[str, Any]) -> None:
        """What one has said oneself gets other words, or is removed; what anybody has said, a sign. Raises Refused."""
        about, body = data["about"], body_of(data)
        if data == {"about": about, "retract": True}:
            self.remove(about, person)
        elif data.keys() == REACTED and type(data["on"]) is bool:
            self.react(about, data["react"], data["on"], person)
        elif body is not None and not data.keys() - CHANGED:
            self.edit(about, body, person, data)
        else:
            raise Refused('Say {"about": 41, "body": "…"}, or {"about": 41, "retract": true}.', code="bad_frame")

    def edit(self, seq: int, body: str, person: Person, data: Mapping[str, Any] = EMPTY) -> None:
        """Raises Refused. The words that it had are not kept, and who was mentioned only by them is not any more."""
        mentions = self.mentions({**data, "body": body})

        def edited(there: Event) -> dict[str, Any]:
            before = is_own(there, person).data
            if body_of(before) == body:
                raise Unchanged
            answers = {} if reply_of(before) is None else {"reply": reply_of(before)}
            kept = answers | {name: before[name] for name in ("files", "reactions") if name in before}
            return {"body": body, "edited": True} | kept | mentions

        with changing():
            self.amend(numbered(seq), edited, by=person)

    def react(self, seq: int, emoji: Any, on: bool | None, person: Person) -> None:
        """Puts a sign on what somebody has said, or takes it back; None: whichever it is not. Raises Refused."""
        if emoji not in reactions.EMOJI:
            raise Refused(f"React with one of {' '.join(reactions.EMOJI)}.", code="bad_frame")

        def reacted(there: Event) -> dict[str, Any]:
            if not isinstance(before := there.data, dict):
                raise NoSuchEvent
            signs = reactions.signs_of(before)
            if on is None:
                now = reactions.changed(signs, person, emoji, True) or reactions.changed(signs, person, emoji, False)
            else:
                now = reactions.changed(signs, person, emoji, on)
            if now is None:
                raise Unchanged
            return reactions.put(before, now)

        with changing():
            self.amend(numbered(seq), reacted, by=person)

    def renamed(self, data: Any, person: Person) -> Any:
        return reactions.renamed(data, person)

    # --- Files go where their message, and their room, goes ----------------------------------------------------

    def retract(self, seq: int, *, by: Any = None) -> Event:
        with transaction.atomic():
            files = [file.id for event in self.numbered([seq]) for file in attached(event.data)]
            event = super().retract(seq, by=by)
            keeping.remove(self.name, files)
        return event

    def delete(self) -> None:
        with transaction.atomic():
            super().delete()
            keeping.remove_all(self.name)

    def move(self, to: Topic) -> None:
        with transaction.atomic():
            super().move(to)
            keeping.move(self.name, to.name)

    def remove(self, seq: int, person: Person) -> None:
        self.own(seq, person)
        with changing():
            self.retract(seq, by=person)

    def mentions(self, data: dict[str, Any]) -> dict[str, Any]:
        """Who is mentioned, as a part of a message's data: nobody who may not read it. Raises Refused."""
        given = data.get("mentions", [])
        if not are_keys(given):
            raise Refused("Mentions are at most 10 keys of people.", code="bad_frame")
        found = mentioned(data["body"], given)
        if found and is_opaque(self.room):
            members = belonging.members_among([self.room]).get(self.room, ())
            found = [key for key in found if key in map(public_key_of, members)]
        return {"mentions": found} if found else {}

    def own(self, seq: Any, person: Person) -> Event:
        """What the person has said, and not removed. Raises Refused."""
        return is_own(self.there(seq), person)

    def there(self, seq: Any) -> Event:
        """What somebody has said, and not removed. Raises Refused."""
        found = [event for event in self.events(after=numbered(seq) - 1, limit=1) if event.seq == seq]
        found = [event for event in found if event.about is None]
        if not found or found[0].retracted:
            raise Refused(GONE, code="bad_frame")
        return found[0]

    def begin(self, person: Person | None) -> None:
        """Raises Refused where the person has made too many rooms lately, and where the name is one's that has another
        by now.
        """
        if called := force.called_now(self.room):
            raise Refused(f"This room is called {called} by now.", code="no_such_topic")
        making.make(self.room, person)


class Lobby(News):
    """What is new to a person in all rooms, on all her pages."""

    route = "lobby/<slug:person>"
    about = RoomTopic
    addressed = "mentions"

    async def may(self, person: Person, act: str) -> bool:
        return await super().may(person, act) and (settings.ALLOW_GUESTS or not person.guest)
