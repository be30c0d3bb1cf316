"""To be run once a database has been restored from a backup or copied, before anybody is let in."""

from typing import Any

from django.core.management.base import BaseCommand

from rooms.models import Lineage, Room, new_epoch
from topics.models import Installation


class Command(BaseCommand):
    help = (
        "Gives every room's log a new epoch. Numbers that were given after the backup was made will be given "
        "again to other messages: with a new epoch, clients that remember the old ones start afresh. "
        "The installation gets a new name, too: a copy of its database on the same Redis is another one. "
        "Processes that run must be restarted."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        Installation.objects.update_or_create(pk=1, defaults={"name": new_epoch()})
        rooms = list(Room.objects.only("pk"))
        for room in rooms:
            room.epoch = new_epoch()
        Room.objects.bulk_update(rooms, ["epoch"], batch_size=1_000)
        Lineage.renew()  # also rooms that are made again since the backup
        self.stdout.write(f"{len(rooms)} rooms have a new epoch, and the installation has a new name.")
