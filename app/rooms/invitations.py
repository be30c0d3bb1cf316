"""Links by which somebody becomes a member of a closed room: until they expire, are used up, or are revoked.

The secret stands in the link alone; the database has a digest of it.
"""

import secrets
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from rooms import membership
from rooms.models import Invitation, Kind
from topics import Refused

MOST: Final = 20  # of a room at a time
BYTES: Final = 24  # of a secret


def valid() -> QuerySet[Invitation]:
    lasting = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    return Invitation.objects.filter(lasting).exclude(uses=0).select_related("room", "by")


def of_room(name: str) -> list[Invitation]:
    return list(valid().filter(room__name=name).order_by("-pk"))


def make(name: str, user: Any, lasts: timedelta | None, uses: int | None) -> str:
    """The secret of a new one, which is nowhere else. Raises Refused."""
    secret = secrets.token_urlsafe(BYTES)
    with membership.held(name) as room:
        if room.kind != Kind.CLOSED:
            raise Refused(_("Only a room for members needs invitations."), code="forbidden")
        kept = set(valid().filter(room=room).values_list("pk", flat=True))
        room.invitations.exclude(pk__in=kept).delete()
        if len(kept) >= MOST:
            raise Refused(_("There are many invitations to this room: revoke one of them first."), code="full")
        until = timezone.now() + lasts if lasts else None
        Invitation.objects.create(room=room, digest=digest_of(secret), by=user, expires_at=until, uses=uses)
    return secret


def revoke(name: str, key: int) -> None:
    Invitation.objects.filter(room__name=name, pk=key).delete()


def found(secret: str) -> Invitation | None:
    """The one whose link has that secret, as long as it is valid."""
    digest = digest_of(secret)
    one = valid().filter(digest=digest).first()
    return one if one and constant_time_compare(one.digest, digest) else None


def accept(secret: str, user: Any) -> str:
    """The name of the room of which she is a member by now. Raises Refused where the invitation holds no more."""
    one = found(secret)
    if one is None:
        raise Refused(_("This invitation is no longer valid."), code="gone")
    with membership.held(one.room.name):  # one after the other: nobody is let in beyond the uses
        if found(secret) is None:
            raise Refused(_("This invitation is no longer valid."), code="gone")
        if membership.add(one.room.name, user) and one.uses is not None:
            Invitation.objects.filter(pk=one.pk).update(uses=F("uses") - 1)
    return one.room.name


def digest_of(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
