"""A window on the rooms; what is said in them is in that of topics."""

from django.contrib import admin
from django.utils.safestring import SafeString

from rooms.models import Room
from rooms.moderation.admin import close, keeping, reopen
from topics.admin import Window


@admin.register(Room)
class RoomAdmin(Window):
    list_display = ("name", "keep", "created_at")
    search_fields = ("name",)
    ordering = ("-created_at",)
    actions = (close, reopen)

    @admin.display(description="")
    def keep(self, room: Room) -> SafeString:
        return keeping(room.name)
