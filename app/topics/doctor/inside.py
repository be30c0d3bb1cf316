"""Beside the servers: with their settings, their database and their Redis."""

from collections.abc import Iterator

from realtime import layers
from topics.conf import settings
from topics.doctor import database, layer, machine, notifications
from topics.doctor.findings import Finding, ask


def look() -> Iterator[Finding]:
    """In the order in which one thing needs another."""
    for check in (machine.settings_fit, machine.open_files, machine.disk):
        yield from ask([check])
    yield from ask(database.CHECKS)
    if settings.REDIS_URL:
        yield from ask(layer.CHECKS)
    if layers.in_postgres():
        yield from ask([notifications.postgres_carries_messages])
