"""What is new to one person in all topics of a class: a topic of her own, which all her pages follow.

    class Lobby(News):
        route = "lobby/<slug:person>"
        about = Chat

Nobody appends to it. Its followers are signalled what is said in topics of that class, at most once a second, and how
far the person has read where she reads something on another device. Nothing is done for it when something is appended:
each process that has followers looks once a second which logs have changed (topics.delivery.looking).
"""

from datetime import datetime
from typing import Any, ClassVar, Final, NamedTuple

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from topics import permission, reading, routes
from topics.errors import NoSuchTopic, Refused
from topics.people import Person, public_key_of
from topics.people import person as person_given
from topics.storing import database, readings
from topics.topic import Topic

MOST: Final = 100  # topics in one answer
WANTED: Final = 'Say {"read": "a topic\'s name", "seq": 41}.'


class Reading(NamedTuple):
    """A topic that somebody reads. `addressed`: how many of the unread are addressed to her."""

    topic: Any  # of the class that the news is about
    seq: int
    changed_at: datetime
    read: int
    unread: int
    addressed: int


kinds: "list[type[News]]" = []


class News(Topic):
    """`about` is the class; `addressed` names what in an event's data is a list of public keys of people: those whom
    it is addressed to. Of private topics those are told who may read them, whether they have done so yet or not.
    """

    about: ClassVar[type[Topic]]
    addressed: ClassVar[str] = "to"
    new_per_hour = None
    person: str

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "route" in cls.__dict__:
            if [*cls.parsed_route.parameters] != ["person"]:
                raise ImproperlyConfigured(f"{cls.__name__}.route has one parameter: <slug:person>.")
            kinds[:] = [other for other in kinds if other.__qualname__ != cls.__qualname__] + [cls]

    @classmethod
    def of(cls, person: Any) -> "News":
        """The handle of a user's, or a Person's."""
        found = person_given(person)
        if found is None:
            raise TypeError("Nobody has no news.")
        return cls(person=found.public_key)

    @classmethod
    def readings(cls, person: Any, limit: int = MOST) -> list[Reading]:
        """The topics that the person reads, and the private ones that she may read, the last appended to first. What
        is new is counted in the last 500 events of each.
        """
        who = person_given(person)
        if who is None:
            return []
        found = cls._readings(who.key, min(limit, MOST))
        if not cls.about.private:
            return found
        private = set(cls.about.of_reader(who))
        found = [one for one in found if one.topic.name in private or not one.topic.name.startswith(cls.about.private)]
        if unread := private - {one.topic.name for one in found}:
            found += cls._readings(who.key, min(limit, MOST), only=tuple(unread), begun=False)
        return sorted(found, key=lambda one: one.changed_at, reverse=True)[:limit]

    @classmethod
    def reading(cls, person: Any, topic: Topic) -> Reading | None:
        """The same of that topic alone; None where she has never read it."""
        found = person_given(person)
        return None if found is None else next(iter(cls._readings(found.key, 1, only=(topic.name,))), None)

    @classmethod
    def _readings(
        cls, key: str, limit: int, only: tuple[str, ...] | None = None, *, begun: bool = True
    ) -> list[Reading]:
        """`begun`: those of which she has read something, else those of `only` of which she has not."""
        like = f'%"{cls.addressed}":[%"{public_key_of(key)}"%'
        if begun:
            rows = readings.readings(key, cls.beginning(), like, limit, only)
        else:
            rows = readings.unbegun(key, only or (), like, limit)
        found = []
        for one in rows:
            try:
                topic = routes.find(one.name)
            except NoSuchTopic:
                continue
            if isinstance(topic, cls.about):
                found.append(Reading(topic, one.seq, one.changed_at, one.read, one.unread, one.addressed))
        return found

    @classmethod
    def beginning(cls) -> str:
        return cls.about.route.partition("<")[0]

    @classmethod
    def read(cls, topic: Topic, person: Any, seq: int) -> None:
        """The person has read that topic up to that number: her pages are told, on all devices."""
        found = person_given(person)
        if found is None or not found.known:  # who would be somebody else at the next request
            return
        reading.read_up_to(topic.name, found, seq)
        for one in cls._readings(found.key, 1, only=(topic.name,)):
            told = {"topic": topic.name, "seq": one.seq, "read": one.read}
            cls.of(found).signal({"read": told | {"unread": one.unread, "addressed": one.addressed}})

    async def may(self, person: Person, act: str) -> bool:
        return person.public_key == self.person

    async def received(self, person: Person, data: Any) -> None:
        """{"read": a topic's name, "seq": a number}. Nothing is appended."""
        name, seq = (data.get("read"), data.get("seq")) if isinstance(data, dict) else (None, None)
        if not isinstance(name, str) or type(seq) is not int or not 0 < seq < 2**63 or len(data) > 2:
            raise Refused(WANTED, code="bad_frame")
        try:
            topic = routes.find(name)
        except NoSuchTopic:
            topic = self
        if not isinstance(topic, self.about) or not await permission.may(topic, person, permission.READ):
            raise Refused(_("There is no such topic for you."), code="no_such_topic")
        await database.run(database.readers, self.read, topic, person, seq)
