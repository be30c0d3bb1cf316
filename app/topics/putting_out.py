"""Who may not be here any more goes, wherever her sockets and streams are: the public names."""

from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.db import transaction

from realtime import hubs
from topics.people import Person, of_user
from topics.who.identity import token_key

if TYPE_CHECKING:
    from topics.models import Token
    from topics.topic import Topic
    from topics.who.notices import Notice


def disconnect(*, user: Any = None, token: "Token | None" = None, topic: "Topic | None" = None) -> None:
    """Closes all sockets and streams of somebody, or those of a token alone, or puts everybody out of a topic.

    `user` is a user of the project's, or a Person. Whoever may come in comes in again: take the permission away first,
    in the same transaction. Heard after COMMIT, within a second; where Redis is away, within three.
    """
    _give(user=user, token=token, topic=topic, out=True)


def recheck(*, user: Any = None, topic: "Topic | None" = None) -> None:
    """Has somebody asked about anew in every topic she follows, or everybody who follows a topic.

    Who is logged in no longer, or may not read any more, is put out. Heard as `disconnect` is.
    """
    _give(user=user, topic=topic, out=False)


async def adisconnect(*, user: Any = None, token: "Token | None" = None, topic: "Topic | None" = None) -> None:
    await sync_to_async(disconnect)(user=user, token=token, topic=topic)


async def arecheck(*, user: Any = None, topic: "Topic | None" = None) -> None:
    await sync_to_async(recheck)(user=user, topic=topic)


def _give(*, user: Any = None, token: "Token | None" = None, topic: "Topic | None" = None, out: bool) -> None:
    from topics.topic import Topic
    from topics.who import notices

    if [user, token, topic].count(None) != 2:
        raise TypeError("Either user= or topic= (or token=, to disconnect) says whom it is about.")
    if token is not None:
        tell(notices.new(person=token_key(token.pk), out=out))
    elif topic is None:
        tell(notices.new(person=_key_of(user), out=out))
    elif isinstance(topic, Topic):
        tell(notices.new(topic=topic.name, out=out))
    else:
        raise TypeError(f'topic= is a handle such as Votes(poll="lunch"), not {topic!r}.')


def tell(notice: "Notice") -> None:
    from topics.delivery.live import TOPICS, noticed

    transaction.on_commit(lambda: hubs.from_any_thread(TOPICS, lambda hub: hub.notify(noticed(notice))))


def _key_of(user: Any) -> str:
    if isinstance(user, Person):
        return user.key
    if getattr(user, "is_authenticated", False) and getattr(user, "pk", None) is not None:
        return of_user(user).key
    raise TypeError(f"user= is a user with an account or a Person, not {user!r}.")
