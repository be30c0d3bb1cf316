"""What `manage.py check` says about the project's topics."""

import inspect
from collections.abc import Sequence
from itertools import combinations
from typing import Any, Final

from django.core.checks import CheckMessage, Error, Warning, register
from django.db import connections
from django.utils.module_loading import import_string

from realtime import layers
from topics import routes
from topics.conf import settings
from topics.topic import Topic

CALLED: Final = {"may": ("person", "act"), "received": ("person", "data")}


@register("topics")
def topics_are_sound(**_: Any) -> list[CheckMessage]:
    return [*without_permission(), *with_other_parameters(), *clashing(), *without_layer()]


def without_permission() -> list[CheckMessage]:
    return [
        Error(
            f"The topic {topic.__name__} does not say who may read and write it.",
            hint="Give it a method may(self, person, act); act is 'read' or 'write'.",
            obj=topic,
            id="topics.E001",
        )
        for topic in routes.classes
        if topic.may is Topic.may
    ]


def with_other_parameters() -> list[CheckMessage]:
    """Methods that could not be called as they are; each would be a 404, or a refusal, and a line in the log."""
    return [
        Error(
            f"{topic.__name__}.{name} {fault}.",
            hint=f"Write it as def {name}(self, {', '.join(given)}) or async def; it is called with both by position.",
            obj=topic,
            id="topics.E002",
        )
        for topic in routes.classes
        for name, given in CALLED.items()
        if (fault := fault_of(inspect.getattr_static(topic, name), given))
    ]


def fault_of(method: Any, given: tuple[str, ...]) -> str:
    """What is wrong with a method that is called with these, as the end of a sentence; empty where nothing is."""
    if isinstance(method, (staticmethod, classmethod, property)):
        return f"is a {type(method).__name__}, not a method"
    if not callable(method):
        return f"is {method!r}, not a method"
    if inspect.isgeneratorfunction(method) or inspect.isasyncgenfunction(method):
        return "yields, where it has to return an answer"
    try:
        inspect.signature(method).bind(None, *given)
    except TypeError:
        return f"takes {inspect.signature(method)}, and is called with self, {', '.join(given)}"
    return ""


def clashing() -> list[CheckMessage]:
    return [
        Warning(
            f"{one.__name__}'s route {one.route!r} and {other.__name__}'s {other.route!r} lead to the same names.",
            hint="The first one gets them. Begin one of the routes with another word.",
            obj=other,
            id="topics.W001",
        )
        for one, other in combinations(routes.classes, 2)
        if one.parsed_route.clashes(other.parsed_route)
    ]


def without_layer() -> list[CheckMessage]:
    if settings.REPLICAS == 1 or layers.reaches_others():
        return []
    return [
        Warning(
            f"{settings.REPLICAS} processes serve sockets, each with a channel layer in its own memory: "
            "they hear each other late.",
            hint="Set REDIS_URL, or in settings of your own CHANNEL_LAYERS to one in Redis or in Postgres.",
            id="topics.W002",
        )
    ]


@register("topics")
def authentication_can_be_imported(**_: Any) -> list[CheckMessage]:
    return [
        Error(
            f"TOPICS_AUTHENTICATION names {path!r}, which cannot be imported.",
            hint="Each is the dotted path of a callable (bearer, headers) that returns a user, a Person or None.",
            id="topics.E010",
        )
        for path in getattr(settings, "TOPICS_AUTHENTICATION", ())
        if not _is_importable(path)
    ]


def _is_importable(path: str) -> bool:
    try:
        return callable(import_string(path))
    except ImportError:
        return False


# --- Those of databases run with `migrate`, before anything is changed ---------------------------------


def databases_hold_every_script(
    app_configs: Sequence[Any] | None = None, databases: Sequence[str] | None = None, **kwargs: object
) -> list[CheckMessage]:
    """Postgres keeps text in the encoding that the database was made with, and refuses what is not in it."""
    return [
        Error(
            f"The database {connections[alias].settings_dict['NAME']} has the encoding {encoding}: "
            "it cannot hold what people write.",
            hint="Make one by `createdb --template=template0 --encoding=UTF8`, and move the data by pg_dump and psql.",
            id="topics.E002",
        )
        for alias in databases or ()
        if connections[alias].vendor == "postgresql" and (encoding := encoding_of(alias)) != "UTF8"
    ]


def encoding_of(alias: str) -> str:
    with connections[alias].cursor() as cursor:
        cursor.execute("SHOW server_encoding")
        return str(cursor.fetchone()[0])
