"""The id of the request or handshake that something is done for, in every line of the log that is about it.

nginx gives each request an id, logs it, and passes it on. A socket keeps that of its handshake. It travels as a context
variable, so code of an application's own has it in its lines as well. What serves many at once is begun in a context
without one (`apart`), and names those whom an error concerns by `concerning`.
"""

import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import Context, ContextVar
from itertools import islice
from typing import Any, Final

from asgiref.sync import markcoroutinefunction

MOST_NAMED: Final = 20  # in one line
GIVEN: Final = re.compile(r"[\w+/=.-]{8,200}", re.ASCII)  # as nginx, Heroku's router and others make them

Ids = str | Sequence["Ids"]
"""An id, none (the empty text), or those of all whom the work is done for."""

current: Final[ContextVar[Ids]] = ContextVar("request_id", default="")


def over_asgi(application: Any, hops: int) -> Any:
    """The application, with the id that the proxy in front gave, or one of its own where none is believed.

    Set before the server begins the application's task, which takes its context over: a coroutine more would be kept as
    long as each socket.
    """

    @markcoroutinefunction
    def known(scope: dict[str, Any], receive: Any, send: Any) -> Any:
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"") if hops else b""
        current.set(chosen(given.decode("latin-1")))
        return application(scope, receive, send)

    return known


def over_wsgi(application: Callable[..., Iterable[bytes]], hops: int) -> Callable[..., Iterable[bytes]]:
    """The same for threads, each of which has one request after another."""

    def known(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        current.set(chosen(environ.get("HTTP_X_REQUEST_ID", "") if hops else ""))
        return application(environ, start_response)

    return known


def chosen(given: str) -> str:
    return given if GIVEN.fullmatch(given) else secrets.token_hex(16)


def named() -> list[str]:
    """The ids for a line of the log: none, one, or the first few of many."""
    return list(islice(dict.fromkeys(_flat(current.get())), MOST_NAMED))


def _flat(ids: Ids) -> Iterator[str]:
    if isinstance(ids, str):
        yield from (ids,) if ids else ()
    else:
        for each in ids:
            yield from _flat(each)


def apart() -> Context:
    """For a task or callback that serves others than whoever happens to begin it."""
    return Context()


@contextmanager
def concerning(ids: Ids) -> Iterator[None]:
    """What is logged in here names these."""
    before = current.set(ids)
    try:
        yield
    finally:
        current.reset(before)
