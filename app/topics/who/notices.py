"""Notice that is given to all processes: look at somebody or at a topic anew, or put them out.

It is a row, written in the caller's transaction, and heard after COMMIT: at once where Redis works, else by the check
that each process makes every two seconds. So it may be heard twice, and is heeded once.
"""

from datetime import timedelta
from typing import Final, NamedTuple

from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now

from topics import models
from topics.storing.replay import CHANGED

KEPT: Final = timedelta(minutes=5)  # much longer than any process looks back
MOST: Final = 10_000  # read at once


class Notice(NamedTuple):
    """To whoever has that person's key, or follows the topic of that name. `age` is in seconds."""

    id: int
    person: str
    topic: str
    out: bool
    age: float = 0.0


def new(*, person: str = "", topic: str = "", out: bool) -> Notice:
    row = models.Notice.objects.create(person=person, topic=topic, out=out)
    transaction.on_commit(forget, robust=True)
    return Notice(row.pk, person, topic, out)


def forget() -> None:
    """What everybody has heard of."""
    models.Notice.objects.filter(at__lt=Now() - KEPT).delete()


def recent(seconds: float) -> list[Notice]:
    """What was given in the last so many seconds or shortly before: it may have been committed since."""
    rows = models.Notice.objects.filter(at__gte=Now() - CHANGED - timedelta(seconds=seconds))
    aged = rows.annotate(age=ExpressionWrapper(Now() - F("at"), output_field=DurationField())).order_by("-pk")[:MOST]
    return [
        Notice(id, person, topic, out, age.total_seconds())
        for id, person, topic, out, age in aged.values_list("pk", "person", "topic", "out", "age")
    ]
