"""Beside the servers: with their settings, their database and their Redis."""

from collections.abc import Iterator

from realtime import layers, redises
from topics.doctor import database, layer, machine, notifications, servers
from topics.doctor.findings import Finding, ask


def look() -> Iterator[Finding]:
    """In the order in which one thing needs another."""
    for check in (machine.settings_fit, machine.open_files, machine.disk):
        yield from ask([check])
    if (yield from ask(database.CHECKS)):
        for check in (servers.pooling, servers.standby, servers.replica):
            yield from ask([check])
    for host in redises.hosts():
        yield from ask(layer.CHECKS, host)
    if layers.in_postgres():
        yield from ask([notifications.postgres_carries_messages])
