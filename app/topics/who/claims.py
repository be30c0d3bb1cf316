"""By what somebody is here, and whether that still holds: a session, a token, or else the account alone."""

from collections.abc import Mapping
from typing import Any, Final

from realtime.closing import FORBIDDEN, Goodbye
from topics.people import Person
from topics.tokens import tokens
from topics.who.identity import Identity
from topics.who.standing import Accounts, active_among

SESSION: Final = "session"
TOKEN: Final = "token"
ACCOUNT: Final = "account"

Claim = tuple[str, Any]
"""The kind, and the key of it."""


def claim_of(identity: Identity) -> Claim | None:
    """What is to be looked at anew; None for guests, of whom nothing can end."""
    if identity.session is not None:
        return SESSION, identity.session
    if identity.token is not None:
        return TOKEN, identity.token
    return None if identity.person.user_id is None else (ACCOUNT, identity.person.user_id)


def over(accounts: Accounts, people: Mapping[Claim, Person], doubted: bool) -> dict[Claim, Goodbye]:
    """In a thread: the claims that hold no longer, each with what its sockets are told."""
    return {
        (kind, key): goodbye
        for kind, judge in (
            (SESSION, lambda theirs: accounts.over(theirs, doubted)),
            (TOKEN, tokens.over),
            (ACCOUNT, closed),
        )
        if (theirs := {key: person for (its, key), person in people.items() if its == kind})
        for key, goodbye in judge(theirs).items()
    }


def closed(people: Mapping[Any, Person]) -> dict[Any, Goodbye]:
    """Of the accounts that came in by neither session nor token: those that are there no longer."""
    return dict.fromkeys(people.keys() - active_among(people.keys()), FORBIDDEN)
