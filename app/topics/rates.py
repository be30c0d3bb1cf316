"""What a person and an address may say, over sockets and by the pages' forms."""

from contextlib import suppress
from time import monotonic
from typing import Final

from realtime import hubs, metrics
from realtime.hub import Hub
from realtime.rates import Limits, Rates
from topics.conf import settings
from topics.delivery.live import TOPICS
from topics.people import Person

too_fast: Final = metrics.limited.labels("message_rate")
too_often: Final = metrics.limited.labels("replays")
reads_too_often: Final = metrics.limited.labels("reads")
too_much: Final = metrics.limited.labels("messages_waiting")

renamed_too_often: Final = metrics.limited.labels("renames")
searched_too_often: Final = metrics.limited.labels("searches")

_alone: Final = Rates(monotonic)
PATIENCE_SECONDS: Final = 0.5  # for a loop that is busy

# Replays of more than a welcome holds: a few bytes that ask for megabytes. A person has many tabs, and comes back.
REPLAYS_A_SECOND: Final = 0.5
REPLAYS_AT_ONCE: Final = 20
# Pages of history, members and streams, over HTTP: each costs a query or two.
READS_A_SECOND: Final = 10
READS_AT_ONCE: Final = 100
SEARCHES_A_SECOND: Final = 1
SEARCHES_AT_ONCE: Final = 20
NAMES_A_SECOND: Final = 0.2
NAMES_AT_ONCE: Final = 10
TICKETS_A_MINUTE: Final = 30  # of one person, as many at once


def limits(person: Person) -> Limits:
    """The address counts where the settings say that it is one client's."""
    found: Limits = {person.key: (settings.MESSAGE_RATE, settings.MESSAGE_BURST)}
    if rate := settings.MESSAGE_RATE_PER_ADDRESS:
        found[f"address:{person.address}"] = rate, 2 * rate
    return found


def post(person: Person) -> float:
    """One message by a form: 0.0, or how many seconds it is too early."""
    if early := taken(limits(person)):
        too_fast.inc()
    return early


def tickets(person: Person) -> Limits:
    return _seldom("tickets", person, TICKETS_A_MINUTE / 60, TICKETS_A_MINUTE)


def rename(person: Person) -> float:
    """Another name of a guest, of which all who are where she is are told: 0.0, or the seconds that it is too early."""
    if early := taken(_seldom("names", person, NAMES_A_SECOND, NAMES_AT_ONCE)):
        renamed_too_often.inc()
    return early


def search(person: Person) -> float:
    """One search: 0.0, or how many seconds it is too early."""
    if early := taken(_seldom("searches", person, SEARCHES_A_SECOND, SEARCHES_AT_ONCE)):
        searched_too_often.inc()
    return early


def seldom(what: str, person: Person, a_second: float, at_once: int) -> float:
    """Something that an app bounds by itself, `what` by name: 0.0, or the seconds that it is too early."""
    if early := taken(_seldom(what, person, a_second, at_once)):
        met(what)
    return early


def met(limit: str) -> None:
    """Counts that a limit of a topic's own was met: realtime_limited at /metrics, with this label."""
    metrics.limited.labels(limit).inc()


def taken(wanted: Limits) -> float:
    """From sync code: of what is left over all processes. Where there is no hub, this process counts for itself."""
    asked = hubs.ask_from_any_thread(TOPICS, lambda hub: _taken(hub, wanted))
    if asked is not None:
        with suppress(TimeoutError):
            return asked.result(PATIENCE_SECONDS)
    return _alone.take_once(wanted)


async def _taken(hub: Hub, wanted: Limits) -> float:
    return hub.rates.take_once(wanted)


def replays(person: Person) -> Limits:
    """What a long replay takes from."""
    return _seldom("replays", person, REPLAYS_A_SECOND, REPLAYS_AT_ONCE)


def reads(person: Person) -> Limits:
    """What a GET takes from."""
    return _seldom("reads", person, READS_A_SECOND, READS_AT_ONCE)


def _seldom(what: str, person: Person, a_second: float, at_once: float) -> Limits:
    """Ten times as much of an address, where the settings say that it is one client's."""
    found: Limits = {f"{what}:{person.key}": (a_second, at_once)}
    if settings.MESSAGE_RATE_PER_ADDRESS:
        found[f"{what}:address:{person.address}"] = 10 * a_second, 10 * at_once
    return found
