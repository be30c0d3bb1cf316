"""/health/live, /health/ready and ws/health/: what probers may know, which is one word.

live: this process answers. ready: Postgres answers, has all migrations and takes writes, and the process stays.
Without Redis it is degraded, but ready: messages arrive, later.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponseBase, JsonResponse

from realtime import drain
from realtime.failures import contained
from realtime.limits import CHECK_ANSWER_SECONDS, CHECK_KEPT_SECONDS
from realtime.outage import kind
from realtime.reach import ask_redis

logger = logging.getLogger(__name__)

SPILLING = 3_000  # rows, which take more than the least memory that Postgres may be told to keep to

LIVE_PATH, READY_PATH = "/health/live", "/health/ready"
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}  # no other middleware sees the answer


class State(NamedTuple):
    """An HTTP status and the word that goes with it."""

    status: int
    word: str


OK, DEGRADED, DOWN, LEAVING = State(200, "ok"), State(200, "degraded"), State(503, "degraded"), State(503, "draining")


class HealthMiddleware:
    """Django's first middleware, under WSGI and ASGI: probers know neither host nor https."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if request.path == LIVE_PATH:
            answer = State(200, "draining") if drain.draining() else OK
        elif request.path == READY_PATH:
            if self.is_async:
                return self._ready_async()
            answer = ready()
        else:
            return self.get_response(request)
        return self._soon(respond(answer)) if self.is_async else respond(answer)

    async def _ready_async(self) -> HttpResponseBase:
        return respond(await ready_async())

    async def _soon(self, response: HttpResponseBase) -> HttpResponseBase:
        return response


def respond(state: State) -> HttpResponseBase:
    response = JsonResponse({"status": state.word}, status=state.status, headers=HEADERS)
    response._has_been_logged = True  # type: ignore[attr-defined]  # a 503 here is an answer, not an error
    return response


async def health_socket(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """A whole handshake, which only a server that really serves WebSockets completes."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": 1000})


# --- Readiness -----------------------------------------------------------------------------------


def ready() -> State:
    if drain.draining():
        return LEAVING
    try:
        return checks.state().result(CHECK_ANSWER_SECONDS)
    except TimeoutError:
        return DOWN


async def ready_async() -> State:
    if drain.draining():
        return LEAVING
    checking = asyncio.wrap_future(checks.state())
    try:
        return await asyncio.wait_for(asyncio.shield(checking), CHECK_ANSWER_SECONDS)
    except TimeoutError:
        return DOWN


class MigrationsMissing(Exception):
    pass


class ReadOnly(Exception):
    pass


class Checks:
    """One check at a time, in a thread of its own, whose answer serves everybody who asks within a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: Future[State] | None = None
        self._expires = 0.0
        self._migrated = False
        self._trouble = ""

    def state(self) -> "Future[State]":
        with self._lock:
            latest = self._latest
            if latest is None or (latest.done() and time.monotonic() > self._expires):
                latest = self._latest = Future()
                threading.Thread(target=self._check, args=[latest], name="health", daemon=True).start()
            return latest

    def _check(self, answer: "Future[State]") -> None:
        answer.set_running_or_notify_cancel()
        state, trouble = DOWN, "the check itself"
        with contained("the readiness check"):
            state, trouble = self._ask()
        if trouble != self._trouble:
            self._trouble = trouble
            logger.warning("readiness: %s", trouble or "restored")
        self._expires = time.monotonic() + CHECK_KEPT_SECONDS
        answer.set_result(state)

    def _ask(self) -> tuple[State, str]:
        if trouble := failure(self._ask_database):
            return DOWN, f"Postgres: {trouble}"
        if trouble := failure(ask_redis):
            return DEGRADED, f"Redis: {trouble}"
        return OK, ""

    def _ask_database(self) -> None:
        try:
            if not self._migrated:
                self._ask_for_migrations()
            ask_for_room()
        finally:
            connection.close()

    def _ask_for_migrations(self) -> None:
        """Once complete they stay so: older code serves on while a newer release migrates."""
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            raise MigrationsMissing
        self._migrated = True


def ask_for_room() -> None:
    """Raises where nothing could be stored: read-only, a standby, a full disk. Nothing is changed for it.

    In SQLite a transaction takes the lock for writing. Postgres says what it thinks of the session, and has to put a
    list on its disk that is longer than its memory for it; that costs some milliseconds, no row and no log.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        if connection.vendor == "postgresql":
            cursor.execute("SELECT current_setting('transaction_read_only'), set_config('work_mem', '64kB', true)")
            if cursor.fetchone()[0] == "on":
                raise ReadOnly
            cursor.execute("SELECT count(*) FROM generate_series(1, %s)", [SPILLING])


def failure(check: Callable[[], None]) -> str:
    """What went wrong, without the address or the password that messages may hold."""
    try:
        check()
    except Exception as error:
        return kind(error.__cause__ or error)
    return ""


checks = Checks()
