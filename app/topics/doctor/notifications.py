"""Postgres' notifications, where these carry what happens from one process to the others."""

import secrets
from collections.abc import Iterator
from contextlib import closing
from typing import Final

from django.db import connection

from topics.doctor.findings import Finding, broken, ok

SECONDS: Final = 3.0


def postgres_carries_messages() -> Iterator[Finding]:
    """A message from here to here, as from one process to another."""
    name, text = f"doctor_{secrets.token_hex(8)}", secrets.token_hex(8)
    with closing(connection.copy()) as speaking, closing(connection.copy()) as listening:
        with listening.cursor() as cursor:
            cursor.execute(f"LISTEN {name}")
        with speaking.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [name, text])
        heard = [one.payload for one in listening.connection.notifies(timeout=SECONDS, stop_after=1)]
    if heard == [text]:
        yield ok("Postgres carries messages between processes.")
    else:
        yield broken(
            f"Postgres did not bring a notification back in {SECONDS:.0f} s: words arrive late between processes.",
            "Set pool_mode = session in PgBouncer, let DATABASE_URL lead past it, or set REDIS_URL.",
        )
