"""Removes events that are older than their topics keep them. To be run once a day, by cron or Heroku's scheduler."""

from typing import Any

from django.core.management.base import BaseCommand

from topics.storing.pruning import keeping, prune


class Command(BaseCommand):
    help = "Remove events that are older than their topics keep them (Topic.keep)."

    def handle(self, *args: Any, **options: Any) -> None:
        total = 0
        for log, keep in keeping():
            if removed := prune(log, keep):
                total += removed
                self.stdout.write(f"{log.name}: {removed} removed, kept for {keep}")
        self.stdout.write(f"{total} events removed.")
