"""Events that are older than their topic keeps them, taken out of its log."""

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from topics import routes
from topics.errors import NoSuchTopic
from topics.models import Entry, Log, Words

AT_ONCE: Final = 10_000  # entries in one transaction: it holds the log, whose writers wait


def prune(log: Log, keep: timedelta) -> int:
    """Removes what is older than that, from the log's beginning; how many entries. Numbers are never given again."""
    removed = 0
    while last := _last_to_go(log, keep):
        with transaction.atomic():
            Log.objects.select_for_update().filter(pk=log.pk).first()
            Words.objects.filter(log=log, entry__seq__lte=last).delete()
            gone, _ = Entry.objects.filter(log=log, seq__lte=last).delete()
            Log.objects.filter(pk=log.pk).update(pruned=last)
        removed += gone
    return removed


def _last_to_go(log: Log, keep: timedelta) -> int | None:
    """The highest number of the next entries that are too old. What comes after a younger one stays."""
    oldest = Entry.objects.filter(log=log).order_by("seq")[:AT_ONCE].values_list("seq", "at")
    before = timezone.now() - keep
    last = None
    for seq, at in oldest:
        if at >= before:
            break
        last = seq
    return last


def keeping() -> list[tuple[Log, timedelta]]:
    """The logs whose topics do not keep everything for ever, each with how long."""
    found = []
    for log in Log.objects.order_by("name").iterator():
        try:
            keep = routes.find(log.name).keep
        except NoSuchTopic:
            continue
        if keep is not None:
            found.append((log, keep))
    return found
