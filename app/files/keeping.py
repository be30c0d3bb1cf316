"""What becomes of files that have come: they are part of an event, and go with it, or are swept."""

import logging
import time
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any, Final

from django.core.files.storage import default_storage
from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from files.models import File
from topics import Person

UNSAID: Final = timedelta(days=1)  # that a file waits for its message
SWEEP_EVERY: Final = 60  # seconds, in one process
AT_ONCE: Final = 20

logger = logging.getLogger(__name__)


class Missing(Exception):
    """One of them is not there, not whole, or somebody else's."""


def said(place: str, person: Person, ids: Sequence[str]) -> list[dict[str, Any]]:
    """These files as a part of an event's data. Raises Missing. The same again where the event is sent again."""
    wanted = list(dict.fromkeys(ids))
    whole = File.objects.filter(place=place, owner=person.key, gone=False).exclude(stored="")
    found = {file.pk: file for file in whole.filter(pk__in=wanted)}
    if len(found) < len(wanted):
        raise Missing
    if not all(file.said for file in found.values()):
        File.objects.filter(pk__in=wanted).update(said=True)
    return [found[key].as_data for key in wanted]


def remove(place: str, ids: Collection[str]) -> None:
    """Nobody is given them any more from COMMIT on; what is in the storage goes after it."""
    if ids:
        _remove(File.objects.filter(place=place, pk__in=list(ids)))


def remove_all(place: str) -> None:
    _remove(File.objects.filter(place=place))


def _remove(files: Any) -> None:
    files.update(gone=True)
    transaction.on_commit(sweep)


def move(place: str, to: str) -> None:
    File.objects.filter(place=place).update(place=to)


def readable(place: str, key: str) -> File | None:
    """A file that is whole; whether somebody may read the place is asked before."""
    return File.objects.filter(pk=key, place=place, gone=False).exclude(stored="").first()


# --- The end -----------------------------------------------------------------------------------------------


def sweep() -> None:
    """Some of those that are gone, or never became part of an event. What fails now is done later."""
    try:
        old = Q(said=False, at__lt=timezone.now() - UNSAID)
        for file in File.objects.filter(Q(gone=True) | old).order_by("at")[:AT_ONCE]:
            delete(file)
    except DatabaseError as error:
        logger.warning("files that are gone are still in the storage: %s", error)
    except Exception:  # of whatever kind the storage's are
        logger.exception("files that are gone are still in the storage")


def delete(file: File) -> None:
    """The row goes last: by it what is left in the storage is found again."""
    for name in (file.stored, file.preview, *file.pieces):
        if name:
            default_storage.delete(name)
    file.delete()


_next_sweep = 0.0


def sweep_sometimes() -> None:
    """By whoever sends a file: where nobody does, there is little to sweep."""
    global _next_sweep
    if time.monotonic() > _next_sweep:
        _next_sweep = time.monotonic() + SWEEP_EVERY
        sweep()
