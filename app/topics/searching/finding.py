"""Events by their words: the newest first, as they are by now."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db import Error as DatabaseError
from django.db import OperationalError, connection, connections, transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from topics import permission, routes
from topics.errors import NoSuchTopic, Refused
from topics.events import Event, event_of
from topics.models import Entry, Log, Words
from topics.people import person
from topics.searching import filling
from topics.searching.words import Phrase, Query, Span
from topics.storing import faults, replica
from topics.storing.log import NOBODY, stored

if TYPE_CHECKING:
    from topics.topic import Topic

LONGEST: Final = 100  # characters
MOST: Final = 100  # events in one answer
ROUNDS: Final = 5  # of looking for more, where somebody may not read what was found
CATCH_UP: Final = 1_000  # entries whose words are filled in by whoever searches
NEWEST: Final = 5_000  # entries that are looked through without the index
TIME_LIMIT_MS: Final = 2_000  # of one question to Postgres
HIGHEST: Final = 2**63 - 1  # number that the database holds
TIMED_OUT: Final = "57014"

# As the index has it: the migration's INDEX.
LISTED: Final = "array_to_tsvector(string_to_array(btrim(topics_words.text), ' ')) @@ %s::tsquery"
LIMIT_TIME: Final = (
    "SELECT set_config('topics.statement_timeout', current_setting('statement_timeout'), true),"
    " set_config('statement_timeout', %s, true)"
)
LIMIT_NO_MORE: Final = "SELECT set_config('statement_timeout', current_setting('topics.statement_timeout'), true)"

Readable = Callable[["set[Topic]"], "set[Topic]"]
"""Those of some topics that the reader may read."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hit:
    """An event that was found, and in which topic."""

    topic: Any  # of the class that was asked
    event: Event


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, the newest first.

    `next` is what the next page begins `before`, None where there is no more. `behind`: some of what came last could
    not be searched yet.
    """

    hits: list[Hit]
    next: int | None
    behind: bool
    query: Query

    def spans(self, text: str) -> list[Span]:
        """Where in a text the words stand that were looked for: (start, end), from left to right, none overlapping."""
        return self.query.spans(text)


def in_topic(topic: "Topic", text: str, before: int | None, limit: int) -> Found:
    query, limit = asked(type(topic), text), _bounded(limit)
    log = Log.objects.filter(name=topic.name).first()
    if log is None:
        return Found([], None, False, query)
    late = _caught_up([log])
    return replica.as_of_now(lambda: _found(query, Q(log=log.pk), before, limit, late, lambda topics: topics))


def everywhere(kind: "type[Topic]", text: str, reader: Any, before: int | None, limit: int) -> Found:
    who = person(reader) or NOBODY
    query, limit = asked(kind, text), _bounded(limit)
    late = _caught_up(filling.behind([kind], lately=True))
    within = Q(log__name__startswith=kind.route.partition("<")[0])
    if kind.private:
        within &= ~Q(log__name__startswith=kind.private) | Q(log__name__in=list(kind.of_reader(who)))

    def readable(topics: "set[Topic]") -> "set[Topic]":
        return permission.readable([topic for topic in topics if isinstance(topic, kind)], who)

    return replica.as_of_now(lambda: _found(query, within, before, limit, late, readable))


def asked(kind: "type[Topic]", text: str) -> Query:
    """Raises Refused with a sentence for whoever has typed it."""
    if not kind.searched:
        raise TypeError(f'{kind.__name__} does not say what is searched: searched = ("body",), for example.')
    if not text.strip():
        raise Refused(_("Type a word to search for."), code="bad_search")
    if len(text) > LONGEST:
        long = _("That is {count} characters. A search has at most {most}.").format(count=len(text), most=LONGEST)
        raise Refused(long, code="bad_search")
    query = Query.of(text)
    if not query.phrases:
        raise Refused(_("There is no letter or digit in that: a search looks for words."), code="bad_search")
    return query


def _bounded(limit: int) -> int:
    return max(1, min(limit, MOST))


def _caught_up(logs: Sequence[Log]) -> bool:
    """Fills in the words of what has just come. Whether some are missing all the same."""
    left, late = CATCH_UP, False
    for log in logs:
        try:
            late |= left <= 0 or filling.fill(log, left)
        except DatabaseError as error:  # one can search what is there
            logger.warning("what has been said lately cannot be searched yet: %s", error)
            return True
        left -= filling.AT_ONCE if left > 0 else 0
    return late


def _found(query: Query, within: Q, before: int | None, limit: int, late: bool, readable: Readable) -> Found:
    hits: list[Hit] = []
    for _round in range(ROUNDS):
        wanted = limit - len(hits)
        keys = _keys(query, within, before, wanted + 1)
        hits += _hits(query, keys[:wanted], readable)
        if len(keys) <= wanted:
            return Found(hits, None, late, query)
        before = keys[wanted - 1]
        if len(hits) == limit:
            break
    return Found(hits, before, late, query)


def _keys(query: Query, within: Q, before: int | None, limit: int) -> list[int]:
    """Of events that have the words, the newest first. Raises Refused where that takes too long."""
    words = Words.objects.using(replica.alias()).filter(within)
    if before is not None:
        words = words.filter(pk__lt=min(before, HIGHEST))
    if connection.vendor != "postgresql":
        return list(_with_needles(words, query).order_by("-pk").values_list("pk", flat=True)[:limit])
    try:
        with transaction.atomic(replica.alias()), connections[replica.alias()].cursor() as cursor:
            cursor.execute(LIMIT_TIME, [str(TIME_LIMIT_MS)])
            keys = _keys_on_postgres(words, query, limit)
            cursor.execute(LIMIT_NO_MORE)
            return keys
    except OperationalError as error:
        if faults.state_of(error) != TIMED_OUT:
            raise
        raise Refused(_("That took too long: search for more of it, or for a rarer word."), code="too_slow") from None


def _keys_on_postgres(words: QuerySet[Words], query: Query, limit: int) -> list[int]:
    """A word that is often said is soon found among the newest; a rarer one the index knows all places of.

    Postgres cannot tell which a word is that is not among the most frequent ones, and would read the whole table for
    three messages, or sort half of it for twenty. An order by a sum keeps it from that.
    """
    newest = words.order_by("-pk").values("pk")[:NEWEST]
    near = _with_needles(Words.objects.using(replica.alias()).filter(pk__in=newest), query)
    keys = list(near.order_by("-pk").values_list("pk", flat=True)[:limit])
    if len(keys) == limit:
        return keys
    listed = words.extra(where=[LISTED], params=[" & ".join(map(_condition, query.phrases))])
    far = _with_needles(listed, Query([phrase for phrase in query.phrases if len(phrase.words) > 1]))
    return list(far.order_by((F("pk") + 0).desc()).values_list("pk", flat=True)[:limit])


def _with_needles(words: QuerySet[Words], query: Query) -> QuerySet[Words]:
    for phrase in query.phrases:
        words = words.filter(text__contains=phrase.needle)
    return words


def _condition(phrase: Phrase) -> str:
    """In the language of tsquery. A word has letters, digits and marks alone."""
    return " & ".join(f"'{word}'{':*' if begins else ''}" for word, begins in phrase.lexemes)


def _hits(query: Query, keys: Sequence[int], readable: Readable) -> list[Hit]:
    """Those that the reader may read, and that have the words by now."""
    entries = {entry.pk: entry for entry in _entries().filter(pk__in=keys)}
    topics = {name: topic for name in {entry.log.name for entry in entries.values()} if (topic := _topic(name))}
    allowed = readable(set(topics.values()))
    return [
        Hit(topic, event_of(stored(entry)))
        for key in keys
        if (entry := entries.get(key)) and (topic := topics.get(entry.log.name)) in allowed
        if topic and query.matches(filling.text_of(topic.name, entry.data))
    ]


def _entries() -> QuerySet[Entry]:
    return Entry.objects.using(replica.alias()).select_related("log")


def _topic(name: str) -> "Topic | None":
    try:
        return routes.find(name)
    except NoSuchTopic:
        return None
