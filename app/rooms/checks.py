"""Django's system checks of this app. Those of databases run with `migrate`, before anything is changed."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import connections


def databases_hold_every_script(
    app_configs: Sequence[Any] | None = None, databases: Sequence[str] | None = None, **kwargs: object
) -> list[CheckMessage]:
    """Postgres keeps text in the encoding that the database was made with, and refuses what is not in it."""
    return [
        Error(
            f"The database {connections[alias].settings_dict['NAME']} has the encoding {encoding}: "
            "it cannot hold what people write.",
            hint="Make one by `createdb --template=template0 --encoding=UTF8`, and move the data by pg_dump and psql.",
            id="rooms.E001",
        )
        for alias in databases or ()
        if connections[alias].vendor == "postgresql" and (encoding := encoding_of(alias)) != "UTF8"
    ]


def encoding_of(alias: str) -> str:
    with connections[alias].cursor() as cursor:
        cursor.execute("SHOW server_encoding")
        return str(cursor.fetchone()[0])
