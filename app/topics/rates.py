"""What a person and an address may say, over sockets and by the pages' forms."""

from time import monotonic
from typing import Final

from django.conf import settings

from realtime import metrics
from realtime.rates import Limits, Rates
from topics.people import Person

too_fast: Final = metrics.limited.labels("message_rate")
too_often: Final = metrics.limited.labels("replays")
reads_too_often: Final = metrics.limited.labels("reads")
too_much: Final = metrics.limited.labels("messages_waiting")

_posts: Final = Rates(monotonic)

# Replays of more than a welcome holds: a few bytes that ask for megabytes. A person has many tabs, and comes back.
REPLAYS_A_SECOND: Final = 0.5
REPLAYS_AT_ONCE: Final = 20
# Pages of history, members and streams, over HTTP: each costs a query or two.
READS_A_SECOND: Final = 10
READS_AT_ONCE: Final = 100


def limits(person: Person, address: str) -> Limits:
    """The address counts where the settings say that it is one client's."""
    found: Limits = {person.key: (settings.MESSAGE_RATE, settings.MESSAGE_BURST)}
    if rate := settings.MESSAGE_RATE_PER_ADDRESS:
        found[f"address:{address}"] = rate, 2 * rate
    return found


def post(person: Person, address: str) -> float:
    """One message by a form: 0.0, or how many seconds it is too early. Each process counts these for itself."""
    early = _posts.take_once(limits(person, address))
    if early:
        too_fast.inc()
    return early


def replays(person: Person, address: str) -> Limits:
    """What a long replay takes from. The address counts where the settings say that it is one client's."""
    found: Limits = {f"replays:{person.key}": (REPLAYS_A_SECOND, REPLAYS_AT_ONCE)}
    if settings.MESSAGE_RATE_PER_ADDRESS:
        found[f"replays:address:{address}"] = 10 * REPLAYS_A_SECOND, 10 * REPLAYS_AT_ONCE
    return found


def reads(person: Person, address: str) -> Limits:
    """What a GET takes from. The address counts where the settings say that it is one client's."""
    found: Limits = {f"reads:{person.key}": (READS_A_SECOND, READS_AT_ONCE)}
    if settings.MESSAGE_RATE_PER_ADDRESS:
        found[f"reads:address:{address}"] = 10 * READS_A_SECOND, 10 * READS_AT_ONCE
    return found
