"""How much somebody has not read: for any number of people and logs by one query."""

from collections.abc import Collection
from typing import Final

from django.db import connection

MOST: Final = 1_000  # are counted; nobody reads more of a number, and a long log would take as long as it is

Asked = tuple[int, str]
"""A log, and a person's key."""

COUNTED: Final = (
    "SELECT {place} AS place, count(*) AS unread FROM (SELECT 1 FROM topics_entry WHERE log_id = %s AND seq > COALESCE("
    "(SELECT seq FROM topics_read WHERE log_id = %s AND reader = %s), 0)"
    " AND author <> %s AND about IS NULL AND NOT retracted LIMIT {most}) AS counted_{place}"
)


def unread(asked: Collection[Asked]) -> dict[Asked, int]:
    """Events of others after the last one that each has read."""
    wanted = list(dict.fromkeys(asked))
    if not wanted:
        return {}
    query = " UNION ALL ".join(COUNTED.format(place=place, most=MOST) for place in range(len(wanted)))
    with connection.cursor() as cursor:
        cursor.execute(query, [value for log, reader in wanted for value in (log, log, reader, reader)])
        return {wanted[place]: number for place, number in cursor.fetchall()}
