"""What the lobby's form does by itself whenever it makes a room, at once and to the end."""

from typing import Any

from django.core.management.base import BaseCommand

from rooms import sweeping
from rooms.models import Room


class Command(BaseCommand):
    help = "Removes rooms that were opened more than a week ago and in which nothing was ever said."

    def handle(self, *args: Any, **options: Any) -> None:
        before = Room.objects.count()
        while sweeping.sweep() == sweeping.AT_ONCE:
            pass
        self.stdout.write(f"{before - Room.objects.count()} empty rooms are removed.")
