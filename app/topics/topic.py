"""What an app declares, and the handle by which it appends and reads: the public class."""

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal, overload

from django.utils.translation import gettext_lazy as _

from topics import putting_out
from topics.errors import Refused
from topics.naming import Naming
from topics.private import Private
from topics.routes import Route, declare
from topics.searching.searched import Searched
from topics.twins import Twins

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topics.events import Event, Position, Recent
    from topics.growing.writing import Writing
    from topics.members import Members
    from topics.people import Person


class Topic(Naming, Searched, Private, Twins):
    """What one follows. A subclass declares a kind of topics, an instance is the handle of one.

        class Votes(Topic):
            route = "votes/<slug:poll>"

            def may(self, person, act):
                return act == "read" or not person.guest

        Votes(poll="lunch").append({"option": "pizza"})

    `route` is one of Django's URL routes; its parameters become attributes, of the converters' types. `keep` is how
    long events are kept, None for ever. `rate` is how many events and signals a second a person may send, None for as
    many as MESSAGE_RATE lets through to all topics together. `new_per_hour` is how many topics a person may begin by
    sending to one that has no events yet, None for any number. Who joins a topic with `count_unread` is told how much
    of it is new to her. `searched` names what of an event's data is text that `search` looks in.
    """

    route: ClassVar[str] = ""
    keep: ClassVar[timedelta | None] = None
    rate: ClassVar[int | None] = 10
    new_per_hour: ClassVar[int | None] = 100
    count_unread: ClassVar[bool] = False
    parsed_route: ClassVar[Route]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "route" in cls.__dict__:
            declare(cls)

    def __init__(self, **values: Any) -> None:
        """Takes the route's parameters. Raises TypeError or ValueError where these lead to no topic."""
        if not self.route:
            raise TypeError(f"{type(self).__name__} has no route: only subclasses with one have topics.")
        self.name = self.parsed_route.name(values)
        self.__dict__ |= self.parsed_route.match(self.name) or {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Topic) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    # --- What a subclass says ------------------------------------------------------------------------

    def may(self, person: "Person", act: str) -> Any:
        """Whether the person may "read" or "write", or Refused with why not. Sync (asked in a thread) or async."""
        raise NotImplementedError(f"{type(self).__name__} does not say who may {act}.")

    def received(self, person: "Person", data: Any) -> Any:
        """What a client's `send` becomes: the data to append, or None for nothing. Sync or async.

        Raises Refused with a sentence for the sender.
        """
        raise Refused(_("Nothing can be sent to this topic."))

    def begin(self, person: "Person | None") -> None:
        """Called before the topic's first event is stored, by whom, in the transaction that makes the log: to make a
        row beside it, for example. Sync; may be called again where two begin at once, or the event was not stored.

        Raises Refused with a sentence for the sender, and nothing is stored.
        """

    # --- Appending -----------------------------------------------------------------------------------

    @overload
    def append(self, data: Any, *, id: str | None = ..., by: Any = ..., on_commit: Literal[False] = ...) -> "Event": ...
    @overload
    def append(self, data: Any, *, id: str | None = ..., by: Any = ..., on_commit: Literal[True]) -> None: ...
    def append(self, data: Any, *, id: str | None = None, by: Any = None, on_commit: bool = False) -> "Event | None":
        """Stores an event and returns it. Inside transaction.atomic() it is part of that: heard after COMMIT.

        `data` is JSON of at most 60 KiB. `id` is the author's own name for it, 1 to 64 characters: the same author's
        same id and data again is the same event. `by` is a user, a Person or nobody. Raises BadData, Conflict (the id
        has been used for other data), Busy (another transaction holds the topic for longer than 2 s; inside a
        transaction this one has to be rolled back), and what the topic's `begin` raises.

        The topic's row is locked until the end of the transaction. With `on_commit` the event is stored in a
        transaction of its own right after the caller's COMMIT, so that no row is held, and None is returned. The data
        is checked at once. Where the process dies in between, the event is not there.
        """
        from topics import appending

        store = appending.append_on_commit if on_commit else appending.append
        return store(self, data, secrets.token_hex(8) if id is None else id, by)

    def amend(self, seq: int, data: Any, *, by: Any = None) -> "Event":
        """Gives the event of that number other data, which replaces the old in the database, too.

        The change has a number of its own. Of `data` that is a function the event is given, which nobody else changes
        meanwhile, and what it raises is raised. Raises NoSuchEvent, BadData, Busy.
        """
        from topics import appending

        return appending.change(self, seq, data, by)

    def retract(self, seq: int, *, by: Any = None) -> "Event":
        """Takes the event of that number away: that there was something is all that is left of it."""
        from topics import appending

        return appending.retract(self, seq, by)

    def writing(self, data: Any = None, *, by: Any = None) -> "Writing":
        """One event that grows while its followers read along, such as a language model's answer.

            with topic.writing({"to": 41}, by=user) as out:  # or `async with`, and `await out.write(…)`
                for token in tokens:
                    if out.cancelled:
                        break
                    out.write(token)

        The event's data is the given object with `text`, what was written so far, and `status`: "growing", and at the
        end "done", "cancelled" by a reader, or "failed" where the block was left by an exception or its process killed.
        `out.seq` is its number. Its end is a numbered change. Raises BadData; Busy; and TransactionManagementError
        inside transaction.atomic(), as it is read by others before it is complete.
        """
        from topics.growing.writing import Writing

        return Writing(self, data, by)

    def cancel(self, seq: int) -> bool:
        """Stops the event of that number, which grows: heard after COMMIT. False where it does not, or has ended."""
        from topics.growing import writing

        return writing.cancel(self, seq)

    def signal(self, data: Any, *, by: Any = None) -> None:
        """Tells whoever follows just now, without storing it: it has no number and may get lost."""
        from topics import appending

        appending.signal(self, data, by)

    def recheck(self) -> None:
        """Has everybody who follows the topic asked about anew: who may not read it any more is put out of it.

        Heard after COMMIT, within a second; where Redis is away, within three.
        """
        putting_out.recheck(topic=self)

    # --- Who is there --------------------------------------------------------------------------------

    def members(self, limit: int = 100) -> "Members":
        """Whoever follows the topic now, over all processes: at most so many Persons; `.total` is how many all are.

        Who has gone is gone within a second, and within 30 where her process was killed. Mostly takes some
        milliseconds, and a second at most. Raises Unreachable where Redis is away and this process does not know.
        """
        from topics import members

        return members.members(self, limit)

    # --- The end -------------------------------------------------------------------------------------

    def delete(self) -> None:
        """Removes the topic's events. Who follows it is put out of it, within a second of COMMIT.

        What is appended later begins at 1 again, and clients that remember the old numbers start afresh.
        """
        from topics import appending

        appending.delete(self)

    def move(self, to: "Topic") -> None:
        """The events go on under another name, with their numbers. Who follows under this one is put out of it.

        Raises Conflict where that topic has events already.
        """
        from topics import appending

        appending.move(self, to)

    # --- Reading -------------------------------------------------------------------------------------

    @classmethod
    def recent(
        cls, limit: int = 50, *, before: "tuple[Topic, datetime] | None" = None, private: bool = False
    ) -> "list[Recent]":
        """(topic, seq, changed_at) of the topics of this class that have events, the last appended to first: those
        after `before`, the topic and the time of the last one of the page before. To a second. `private`: those, too.
        """
        from topics import reading

        return reading.recent(cls, limit, before, private)

    def events(self, *, after: int = 0, before: int | None = None, limit: int = 100) -> "list[Event]":
        """Those after a number, or the last ones before a number: at most so many, in order."""
        from topics import reading

        return reading.events(self.name, after, before, limit)

    def numbered(self, seqs: "Iterable[int]") -> "list[Event]":
        """Those of these numbers that are events, and no changes of one; as they are by now, in order."""
        from topics import reading

        return reading.numbered(self.name, seqs)

    def event(self, id: str) -> "Event | None":
        """The first one whose author calls it by that id."""
        from topics import reading

        return reading.event(self.name, id)

    def position(self) -> "Position":
        """(epoch, seq): where the log ends now. A page that reads this first and its tables after misses nothing."""
        from topics import reading

        return reading.position(self.name)

    def unread(self, person: Any) -> int:
        """How many events of others the person has not read; 1,000 are counted at most."""
        from topics import reading

        return reading.unread(self.name, person)

    def read_up_to(self, person: Any, seq: int) -> None:
        """The person has read everything up to that number, and her open tabs are told. Never goes back."""
        from topics import reading

        reading.read_up_to(self.name, person, seq)
