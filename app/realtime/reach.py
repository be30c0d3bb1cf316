"""Whether Postgres and Redis can be reached, and the sentence for whoever has to mend it."""

import logging
import threading

from django.db import OperationalError, connection

from realtime import redises
from realtime.conf import settings
from realtime.lean import redis
from realtime.outage import kind

logger = logging.getLogger(__name__)

REDIS_SECONDS = 1  # for an answer
CHARACTERS = 400  # of what the database says
GONE_APART = (
    "In the stack of `make up` the volumes `secrets` and `postgres` have gone apart: "
    "`docker compose restart postgres redis web ws` and `make up` bring them together."
)


def look() -> None:
    """Has the log say once which service cannot be reached. A process serves what it can meanwhile, and tries again."""
    threading.Thread(target=_look, name="first look", daemon=True).start()


def _look() -> None:
    if connection.vendor != "unknown":  # a project without a database has that
        _look_at_database()
    try:
        ask_redis()
    except (redis.RedisError, OSError) as error:
        logger.error("REDIS_URL: Redis at %s cannot be reached: %s", settings.REDIS_PLACE, kind(error))


def _look_at_database() -> None:
    own = connection.copy()  # of a pool one would hear only that it took too long
    own.settings_dict["OPTIONS"].pop("pool", None)
    try:
        own.ensure_connection()
    except OperationalError as error:
        logger.error("%s", unreachable(error))
    finally:
        own.close()


def ask_redis() -> None:
    """Each server. Raises what the first one raises that does not answer."""
    for host in redises.hosts():
        with redises.client(host, REDIS_SECONDS) as client:
            client.ping()


def unreachable(error: OperationalError, variable: str = "") -> str:
    """One sentence. libpq names host, port, user and database, never the password. `variable` has the address."""
    reason = " ".join(str(error).split())[:CHARACTERS]
    if "startup parameter" in reason:
        reason += " PgBouncer takes no parameters behind ? but its own: set them by ALTER ROLE … SET …"
    if "password authentication failed" in reason:
        reason = f"{reason.removesuffix('.')}. {GONE_APART}"
    name = variable or settings.DATABASE_VARIABLE
    if "no such table" in reason:
        return f"{name}: the database lacks tables ({reason}): run `make migrate`."
    return f"{name}: the database cannot be reached: {reason.removesuffix('.')}."
