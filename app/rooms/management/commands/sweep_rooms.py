"""What the servers do by themselves once an hour, at once and to the end."""

from typing import Any

from django.core.management.base import BaseCommand

from rooms import sweeping


class Command(BaseCommand):
    help = "Removes rooms that were opened more than a day ago and in which nothing was ever said."

    def handle(self, *args: Any, **options: Any) -> None:
        swept = [sweeping.sweep()]
        while swept[-1] == sweeping.AT_ONCE:
            swept.append(sweeping.sweep())
        self.stdout.write(f"{sum(swept)} empty rooms are removed.")
