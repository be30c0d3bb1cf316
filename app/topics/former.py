"""People who have left: what they have said stays, and their names go."""

from typing import Any

from topics.models import Leaving, Token


def retire(user: Any) -> None:
    """Takes somebody's name from all that she has said, in every topic, and deletes her account at last.

    To be called in the transaction that closes the account, which nobody may log in to any more. Her tokens end at
    once. The rest is done behind, a bounded number of events at a time, by the processes that serve sockets, and goes
    on after whatever ends them: each event keeps its number, its data and the author's key, under the name
    `topics.people.FORMER`. Of each topic that she has spoken in one event gets a numbered change, whose `by` tells
    those who follow it what she is called now. Events that she has changed are given to the topic's
    `renamed`, and what it gives back is a numbered change, too.
    """
    Token.objects.filter(user=user).delete()
    Leaving.objects.get_or_create(user=user)
