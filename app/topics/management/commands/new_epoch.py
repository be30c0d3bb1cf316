"""To be run once a database has been restored from a backup or copied, before anybody is let in."""

from typing import Any

from django.core.management.base import BaseCommand

from topics.models import Installation, Log, new_epoch


class Command(BaseCommand):
    help = (
        "Gives every topic's log a new epoch. Numbers that were given after the backup was made will be given "
        "again to other events: with a new epoch, clients that remember the old ones start afresh. "
        "The installation gets a new name, too: a copy of its database on the same Redis is another one. "
        "Processes that run must be restarted."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        Installation.renew("name", "lineage")  # the second for logs that are made again since the backup
        logs = list(Log.objects.only("pk"))
        for log in logs:
            log.epoch = new_epoch()
        Log.objects.bulk_update(logs, ["epoch"], batch_size=1_000)
        self.stdout.write(f"{len(logs)} topics have a new epoch, and the installation has a new name.")
