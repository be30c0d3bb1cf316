"""Which log a name has: made by its first event, remembered by its key and epoch."""

from typing import Final, NamedTuple

from django.db import transaction

from topics.models import Log

MOST_KNOWN: Final = 10_000  # names whose logs' keys are remembered


class Known(NamedTuple):
    key: int
    epoch: str


_known: dict[str, Known] = {}


def key_of(name: str) -> int:
    """The key of the name's log, which is made where there is none."""
    return known(name) or _made(name)


def known(name: str) -> int | None:
    """The key of the name's log. None where nothing has been appended yet."""
    if found := _known.get(name):
        return found.key
    log = Log.objects.filter(name=name).first()
    return remember(log).key if log else None


def epoch_of(name: str) -> str:
    """The epoch of a log that is known here, without asking the database; else the empty text."""
    found = _known.get(name)
    return found.epoch if found else ""


def forget(name: str) -> None:
    """The log is gone: it was deleted, or the transaction that had made it was rolled back."""
    _known.pop(name, None)


def forget_all() -> None:
    _known.clear()


def remember(log: Log) -> Known:
    if len(_known) >= MOST_KNOWN:
        _known.clear()
    found = _known[log.name] = Known(log.pk, log.epoch)
    return found


def _made(name: str) -> int:
    """Remembered after COMMIT: until then nobody else may see it."""
    Log.objects.bulk_create([Log(name=name)], ignore_conflicts=True)
    log = Log.objects.get(name=name)
    transaction.on_commit(lambda: remember(log))
    return log.pk
