"""A window on rooms and what was said in them: to read and to search, not to change.

Numbers have no holes and a message means the same to everybody who has seen it; browsers resume by number.
Removing or editing a row here would break that for every member, and sockets would not hear of it.
"""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from rooms.models import Message, Room


class Window(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shows rows; adds, changes and removes none."""

    show_full_result_count = False  # counts the whole table at every page
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Room)
class RoomAdmin(Window):
    list_display = ("name", "seq", "changed_at", "created_at")
    search_fields = ("name",)
    ordering = ("-changed_at",)


@admin.register(Message)
class MessageAdmin(Window):
    list_display = ("room", "seq", "at", "author", "guest", "beginning")
    list_display_links = ("seq",)
    list_filter = ("guest",)
    list_select_related = ("room",)
    search_fields = ("=room__name", "author", "body")
    search_help_text = "A room's whole name, or part of an author's name or of a message."
    ordering = ("-pk",)

    @admin.display(description="message")
    def beginning(self, message: Message) -> str:
        return message.body[:80]
