"""To be run once a database has been restored from a backup, before anybody is let in."""

from typing import Any

from django.core.management.base import BaseCommand

from rooms.models import Room, new_epoch


class Command(BaseCommand):
    help = (
        "Gives every room's log a new epoch. Numbers that were given after the backup was made will be given "
        "again to other messages: with a new epoch, clients that remember the old ones start afresh."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        rooms = list(Room.objects.only("pk"))
        for room in rooms:
            room.epoch = new_epoch()
        Room.objects.bulk_update(rooms, ["epoch"], batch_size=1_000)
        self.stdout.write(f"{len(rooms)} rooms have a new epoch.")
