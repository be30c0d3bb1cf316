"""Sends what is to be told, in a thread of the processes that serve sockets: no request and no message waits for it.

What was found is a row until a push service has taken it. So it is sent at least once, tried again while the service is
away, and given up after a day; sent twice, it is one notification all the same.
"""

import hashlib
import logging
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from phone import keys, levels, posting, subscriptions
from phone.looking import SETTLE, Finder
from phone.models import Due
from phone.notices import Notice, notice
from phone.posting import Answer, Letter

EVERY: Final = 2.0  # seconds
DATABASE_PAUSE: Final = 10.0
AT_ONCE: Final = 50
FIRST_PAUSE: Final = timedelta(seconds=60)  # longer than a batch takes: meanwhile nobody else sends the same
LONGEST_PAUSE: Final = timedelta(hours=1)
KEPT: Final = timedelta(days=1)
TTL: Final = 7 * 24 * 3600  # seconds that the push service keeps it for a phone that is off
MOST_TOPIC: Final = 32  # characters
GONE: Final = {404, 410}
LATER: Final = {0, 408, 425, 429}
SWEEP_SECONDS: Final = 3600

logger = logging.getLogger(__name__)


def send_next() -> int:
    """Sends some of what is due. How many of it."""
    claimed = claim()
    letters: list[tuple[Due, Letter]] = []
    for due in claimed:
        told = notice(due)
        if told is None:
            settle(due)
        else:
            letters.append((due, letter(due, told)))
    for (due, _), answer in zip(letters, posting.post([one for _, one in letters]), strict=True):
        heard(due, answer)
    return len(claimed)


def claim() -> Sequence[Due]:
    """What nobody else takes before it is due again."""
    now = timezone.now()
    if not Due.objects.filter(next_at__lte=now).exists():  # SQLite has one writer: nobody is kept for nothing
        return []
    with transaction.atomic():
        if lost := Due.objects.filter(found_at__lt=now - KEPT).delete()[0]:
            logger.warning("%d notifications could not be sent for a day, and are given up", lost)
        rows = Due.objects.select_for_update(skip_locked=True, of=("self",)).filter(next_at__lte=now)
        due = list(rows.select_related("subscription", "room").order_by("next_at")[:AT_ONCE])
        for one in due:
            one.next_at = now + min(FIRST_PAUSE * 2**one.tries, LONGEST_PAUSE)
            one.tries = min(one.tries + 1, 10)
        Due.objects.bulk_update(due, ["next_at", "tries"])
    return due


def letter(due: Due, told: Notice) -> Letter:
    from pywebpush import WebPusher

    browser = due.subscription
    info = {"endpoint": browser.endpoint, "keys": {"p256dh": browser.p256dh, "auth": browser.auth}}
    urgent = due.mention or levels.is_direct(due.room)
    headers = {
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(TTL),
        "Urgency": "high" if urgent else "normal",
        "Topic": push_topic(told.tag),
    }
    return Letter(
        browser.endpoint, WebPusher(info).encode(told.payload)["body"], headers | keys.signed(browser.endpoint)
    )


def push_topic(tag: str) -> str:
    """Of several that a push service holds, it delivers the last of a topic. It is not told which room that is."""
    digest = hashlib.sha256(f"{settings.VAPID_KEY} {tag}".encode()).digest()
    return urlsafe_b64encode(digest).decode()[:MOST_TOPIC]


def heard(due: Due, answer: Answer) -> None:
    if answer.status in GONE:
        due.subscription.delete()
    elif answer.status in LATER or answer.status >= 500:
        if answer.after:
            wait = min(timedelta(seconds=answer.after), LONGEST_PAUSE)
            Due.objects.filter(pk=due.pk).update(next_at=timezone.now() + wait)
    else:
        if answer.status >= 300:
            logger.warning("a push service refuses a notification: %d", answer.status)
        settle(due)


def settle(due: Due) -> None:
    """It is done, unless more has come meanwhile."""
    if not Due.objects.filter(pk=due.pk, seq=due.seq).delete()[0]:
        Due.objects.filter(pk=due.pk).update(next_at=timezone.now() + SETTLE, tries=0)


# --- Behind ------------------------------------------------------------------------------------------


def begin() -> None:
    """To be called once in a process that serves sockets."""
    if keys.public_key():
        threading.Thread(target=_run, name="notifications", daemon=True).start()


def _run() -> None:
    finder, swept = Finder(), -float(SWEEP_SECONDS)
    while True:
        pause = EVERY
        try:
            if time.monotonic() - swept > SWEEP_SECONDS:
                subscriptions.sweep()
                swept = time.monotonic()
            finder.look()
            while send_next() == AT_ONCE:
                pass
        except DatabaseError as error:
            logger.warning("notifications cannot be read just now: %s", error)
            pause = DATABASE_PAUSE
        except Exception:
            logger.exception("notifications cannot be sent just now")
            pause = DATABASE_PAUSE
        finally:
            connection.close()
        time.sleep(pause)
