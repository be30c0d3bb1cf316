"""How many new topics one person, and one address, may begin by what their clients send.

Counted in the database, for all processes: a route such as `votes/<slug:poll>` has as many names as somebody can think
of, and each becomes a log that is kept. An address counts because a guest can be a new one at any time.
"""

from datetime import timedelta
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from realtime import metrics
from topics.errors import Refused
from topics.models import Log
from topics.people import Person

HOUR: Final = timedelta(hours=1)
PEOPLE_AT_AN_ADDRESS: Final = 10  # so many times one person's share
TOO_MANY: Final = _("You have begun too many topics within an hour. Use one that is there, or come back later.")


class Counted:
    """What was made within the hour, asked once of each person and address, and counted on from there.

    For the logs that one transaction makes.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], int] = {}

    def taken(self, maker: Person | None, most: int | None) -> dict[str, str]:
        """The fields of a log that the person makes. Raises Refused where `most` were made within the hour.

        A person who is not known is bounded by the address alone; what a program makes by nothing.
        """
        if maker is None or most is None:
            return {}
        whose = {"maker": maker.key if maker.known else "", "made_from": maker.address}
        limits = {
            "maker": ("topics_per_person", most),
            "made_from": ("topics_per_address", PEOPLE_AT_AN_ADDRESS * most),
        }
        for field, (limit, share) in limits.items():
            if whose[field] and self._count(field, whose[field]) >= share:
                metrics.limited.labels(limit).inc()
                raise Refused(TOO_MANY, code="too_many_new_topics")
        for which in whose.items():
            self._made[which] = self._made.get(which, 0) + 1
        return whose

    def _count(self, field: str, value: str) -> int:
        if (field, value) not in self._made:
            lately = Log.objects.filter(created_at__gte=timezone.now() - HOUR)
            self._made[field, value] = lately.filter(**{field: value}).count()
        return self._made[field, value]
