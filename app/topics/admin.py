"""A window on topics and what stands in them: to read and to search, not to change.

Numbers have no holes and an event means the same to everybody who has seen it; browsers resume by number. Removing or
editing a row here would break that for every follower, and sockets would not hear of it: a topic has methods for it.
"""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from topics.models import Entry, Log, Token


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


@admin.register(Log)
class LogAdmin(Window):
    list_display = ("name", "seq", "changed_at", "created_at")
    search_fields = ("name",)
    ordering = ("-changed_at",)


@admin.register(Entry)
class EntryAdmin(Window):
    list_display = ("log", "seq", "at", "name", "guest", "beginning")
    list_display_links = ("seq",)
    list_filter = ("guest",)
    list_select_related = ("log",)
    search_fields = ("=log__name", "name", "data")
    search_help_text = "A topic's whole name, or part of an author's name or of the data."
    ordering = ("-pk",)

    @admin.display(description="data")
    def beginning(self, entry: Entry) -> str:
        return entry.data[:80]


@admin.register(Token)
class TokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """To look through and to revoke. Nobody makes one for somebody else: its secret would be known to two."""

    list_display = ("name", "user", "topics", "acts", "created_at", "expires_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("name",)
    ordering = ("-pk",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
