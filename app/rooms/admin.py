"""A window on the rooms; what is said in them is in that of topics."""

from django.contrib import admin

from rooms.models import Room
from topics.admin import Window


@admin.register(Room)
class RoomAdmin(Window):
    list_display = ("name", "created_at")
    search_fields = ("name",)
    ordering = ("-created_at",)
