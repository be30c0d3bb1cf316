"""How many new topics one person, and one address, may begin by what their clients send.

Counted in the database, for all processes: a route such as `votes/<slug:poll>` has as many names as somebody can think
of, and each becomes a log that is kept. An address counts because a guest can be a new one at any time.
"""

from datetime import timedelta
from typing import Final

from django.utils import timezone

from realtime import metrics
from topics.errors import Refused
from topics.models import Log
from topics.people import Person

HOUR: Final = timedelta(hours=1)
PEOPLE_AT_AN_ADDRESS: Final = 10  # so many times one person's share
TOO_MANY: Final = "You have begun too many topics within an hour. Use one that is there, or come back later."


def taken(maker: Person, most: int) -> dict[str, str]:
    """The fields of a log that the person makes. Raises Refused where `most` were made within the hour.

    A person who is not known is bounded by the address alone.
    """
    whose = {"maker": maker.key if maker.known else "", "made_from": maker.address}
    lately = Log.objects.filter(created_at__gte=timezone.now() - HOUR)
    for field, limit, share in (
        ("maker", "topics_per_person", most),
        ("made_from", "topics_per_address", PEOPLE_AT_AN_ADDRESS * most),
    ):
        if whose[field] and lately.filter(**{field: whose[field]}).count() >= share:
            metrics.limited.labels(limit).inc()
            raise Refused(TOO_MANY, code="too_many_new_topics")
    return whose
