"""Personal tokens and tickets: how they are made, found again and ended. To be called in the database's threads.

Unknown, spent, expired and revoked secrets get the same answer. A secret is found by its digest, so the time that
takes says nothing about the secrets that exist.
"""

import hashlib
import json
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from realtime import metrics
from realtime.closing import LOGIN, RESTART, Goodbye
from topics.models import Ticket, Token
from topics.people import Person, of_user
from topics.permission import READ, WRITE
from topics.who.identity import Identity
from topics.who.scope import Scope
from topics.who.sessions import people_of
from topics.who.standing import is_active, portions

TOKEN: Final = "topics_"  # how secrets begin, so that scanners of repositories and people know them
TICKET: Final = "ticket_"
BYTES: Final = 32  # of randomness
TICKET_SECONDS: Final = 60
USED_SECONDS: Final = 60  # between two notes that a token was used
MOST_TOKENS: Final = 50  # of one person
MOST_PATTERNS: Final = 20  # of one token


class TooManyTokens(Exception):
    """The user has as many as one may have."""

    def __init__(self) -> None:
        super().__init__(
            _("You have {most} tokens, which is the most: revoke one that is not needed any more.").format(
                most=MOST_TOKENS
            )
        )


# --- Made ----------------------------------------------------------------------------------------------


def issue(
    user: Any,
    name: str,
    *,
    topics: Iterable[str] = ("*",),
    read: bool = True,
    write: bool = False,
    expires_at: datetime | None = None,
) -> tuple[Token, str]:
    """The token, and its secret, which nothing will ever show again. Raises TooManyTokens."""
    secret = TOKEN + secrets.token_urlsafe(BYTES)
    with transaction.atomic():
        get_user_model()._default_manager.select_for_update().get(pk=user.pk)  # two at once are counted in turn
        if Token.objects.filter(user=user).count() >= MOST_TOKENS:
            metrics.limited.labels("tokens").inc()
            raise TooManyTokens
        token = Token.objects.create(
            user=user,
            name=name,
            digest=digest_of(secret),
            topics="\n".join(topics),
            may_read=read,
            may_write=write,
            expires_at=expires_at,
        )
    return token, secret


def ticket_for(identity: Identity) -> str:
    """Lets its bearer in once as that person, within the same scope. Those that were never used leave by the way."""
    now = timezone.now()
    Ticket.objects.filter(expires_at__lt=now).delete()
    secret = TICKET + secrets.token_urlsafe(BYTES)
    Ticket.objects.create(
        digest=digest_of(secret),
        who=as_json(identity.person),
        session=identity.session or "",
        token_id=identity.token,
        until=identity.until,
        expires_at=now + timedelta(seconds=TICKET_SECONDS),
    )
    return secret


def as_json(person: Person) -> str:
    return json.dumps(asdict(person), default=str)


def from_json(text: str) -> Person:
    fields = json.loads(text)
    if fields["user_id"] is not None:
        fields["user_id"] = get_user_model()._meta.pk.to_python(fields["user_id"])
    if scope := fields["scope"]:
        fields["scope"] = Scope(tuple(scope["topics"]), tuple(scope["acts"]))
    return Person(**fields)


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


# --- Found ---------------------------------------------------------------------------------------------


def is_ours(secret: str) -> bool:
    return secret.startswith((TOKEN, TICKET))


def identities(bearers: Sequence[str]) -> list[Identity | None]:
    """Who comes by each of these secrets; None for one that is not valid."""
    tokens = tokens_by({digest_of(secret) for secret in bearers if secret.startswith(TOKEN)})
    return [
        redeemed(secret) if secret.startswith(TICKET) else identity_by(tokens.get(digest_of(secret)))
        for secret in bearers
    ]


def living() -> Any:
    return Token.objects.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()))


def tokens_by(digests: Collection[str]) -> dict[str, Token]:
    if not digests:
        return {}
    found = {token.digest: token for token in living().filter(digest__in=digests).select_related("user")}
    note_use(found.values())
    return found


def note_use(tokens: Iterable[Token]) -> None:
    lately = timezone.now() - timedelta(seconds=USED_SECONDS)
    stale = [token.pk for token in tokens if token.last_used_at is None or token.last_used_at < lately]
    if stale:
        Token.objects.filter(pk__in=stale).update(last_used_at=timezone.now())


def identity_by(token: Token | None) -> Identity | None:
    if token is None or not is_active(token.user):
        return None
    return Identity(person_by(token), token=token.pk, until=token.expires_at)


def person_by(token: Token) -> Person:
    acts = tuple(act for act, may in ((READ, token.may_read), (WRITE, token.may_write)) if may)
    return of_user(token.user).within(Scope(tuple(token.topics.splitlines()), acts))


def redeemed(secret: str) -> Identity | None:
    """Whoever deletes the row has the ticket: no other process can."""
    ticket = ticket_by(secret)
    if ticket is None or not Ticket.objects.filter(pk=ticket.pk).delete()[0]:
        return None
    now = timezone.now()
    if ticket.expires_at < now or (ticket.until is not None and ticket.until < now):
        return None
    if ticket.token is not None:
        return identity_by(ticket.token)
    if not ticket.session:
        return Identity(from_json(ticket.who), until=ticket.until)
    person = people_of([ticket.session]).get(ticket.session)
    return Identity(person, session=ticket.session) if person else None


def ticket_by(secret: str) -> Ticket | None:
    return Ticket.objects.filter(digest=digest_of(secret)).select_related("token__user").first()


# --- Ended ---------------------------------------------------------------------------------------------


def over(people: dict[int, Person]) -> dict[int, Goodbye]:
    """The tokens by which these people are here no longer, each with what its sockets are told."""
    found = {
        token.pk: person_by(token)
        for some in portions(people)
        for token in living().filter(pk__in=some).select_related("user")
        if is_active(token.user)
    }
    return {
        # Its owner has another name now, or it another scope: whoever has it comes back.
        token: RESTART if token in found else LOGIN
        for token, person in people.items()
        if found.get(token) != person
    }
