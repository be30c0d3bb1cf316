"""To be run once a database has been restored from a backup or copied, before anybody is let in."""

from typing import Any, Final

from django.core.management.base import BaseCommand

from topics.models import Installation, Log, new_epoch

BATCH: Final = 1_000


class Command(BaseCommand):
    help = (
        "Gives every topic's log a new epoch. Numbers that were given after the backup was made will be given "
        "again to other events: with a new epoch, clients that remember the old ones start afresh. "
        "The installation gets a new name, too: a copy of its database on the same Redis is another one. "
        "Processes that run must be restarted."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        Installation.renew("name", "lineage")  # the second for logs that are made again since the backup
        count, last = 0, 0
        while logs := list(Log.objects.only("pk").filter(pk__gt=last).order_by("pk")[:BATCH]):
            for log in logs:
                log.epoch = new_epoch()
            Log.objects.bulk_update(logs, ["epoch"])
            count, last = count + len(logs), logs[-1].pk
        self.stdout.write(f"{count} topics have a new epoch, and the installation has a new name.")
