"""How often something may be done within an hour, counted in the database for all processes."""

from datetime import timedelta
from typing import Final

from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.models import Taken
from topics import rates

HOUR: Final = timedelta(hours=1)

Shares = dict[str, tuple[str, int]]
"""What is counted, with whose it is and the most; 0 is no limit."""


def take(shares: Shares) -> bool:
    """One of each, or none where one of them is used up: then False. What is refused does not count."""
    now = timezone.now()
    Taken.objects.filter(at__lt=now - HOUR).delete()
    wanted = {what: (digest(whose), most) for what, (whose, most) in shares.items() if most}
    for what, (whose, most) in wanted.items():
        if Taken.objects.filter(what=what, whose=whose, at__gte=now - HOUR).count() >= most:
            rates.met(what)
            return False
    Taken.objects.bulk_create([Taken(what=what, whose=whose) for what, (whose, _) in wanted.items()])
    return True


def digest(whose: str) -> str:
    return salted_hmac("accounts.shares", whose).hexdigest()[:16]
