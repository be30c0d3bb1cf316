"""Staff keeps order in all rooms by the same verbs as a room's moderators do on its pages."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from rooms.moderation import verbs
from rooms.moderation.models import Action, Report, Restriction
from topics import Refused
from topics.admin import Window
from topics.people import of_user


def each(request: HttpRequest, rows: Iterable[Any], do: Callable[[Any], Any]) -> None:
    """What is refused is said, and hinders nothing else."""
    done = 0
    for row in rows:
        try:
            do(row)
            done += 1
        except Refused as why:
            messages.error(request, f"{row}: {why}")
    messages.success(request, f"Done: {done}.")


def keeping(name: str) -> SafeString:
    return format_html('<a href="{}">Keep order</a>', reverse("keep", args=[name]))


@admin.action(description="Let nobody write there any more")
def close(window: Any, request: HttpRequest, rooms: QuerySet[Any]) -> None:
    each(request, rooms, lambda room: verbs.close(room.name, of_user(request.user)))


@admin.action(description="Let people write there again")
def reopen(window: Any, request: HttpRequest, rooms: QuerySet[Any]) -> None:
    each(request, rooms, lambda room: verbs.reopen(room.name, of_user(request.user)))


@admin.register(Report)
class ReportAdmin(Window):
    """The queue of all rooms."""

    list_display = ("at", "room", "message", "who", "reason", "outcome", "keep")
    list_filter = (("resolved_at", admin.EmptyFieldListFilter),)
    list_select_related = ("room", "user")
    ordering = ("-pk",)
    actions = ("remove", "dismiss")

    @admin.display(description="message")
    def message(self, report: Report) -> SafeString:
        where = f"{reverse('room', args=[report.room.name])}?at={report.seq}#m{report.seq}"
        return format_html('<a href="{}">{}</a>', where, report.seq)

    @admin.display(description="")
    def keep(self, report: Report) -> SafeString:
        return keeping(report.room.name)

    @admin.action(description="Remove the messages")
    def remove(self, request: HttpRequest, reports: QuerySet[Report]) -> None:
        found = dict.fromkeys((report.room.name, report.seq) for report in reports.filter(resolved_at=None))
        each(request, found, lambda about: verbs.remove(about[0], about[1], of_user(request.user)))

    @admin.action(description="Dismiss")
    def dismiss(self, request: HttpRequest, reports: QuerySet[Report]) -> None:
        found = dict.fromkeys((report.room.name, report.seq) for report in reports.filter(resolved_at=None))
        each(request, found, lambda about: verbs.dismiss(about[0], about[1], of_user(request.user)))


class RestrictionForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Restriction
        fields = ("room", "user", "kind", "until", "reason")
        labels = {"user": "Account"}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["user"].required = True


@admin.register(Restriction)
class RestrictionAdmin(Window):
    """Who is muted or banned where. A guest is found by a message: in the room."""

    form = RestrictionForm
    list_display = ("room", "who", "kind", "until", "reason", "at")
    list_filter = ("kind",)
    list_select_related = ("room", "user")
    search_fields = ("room__name", "name", "user__username")
    raw_id_fields = ("room", "user")
    ordering = ("-at",)
    actions = ("lift",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_staff and request.user.has_perm("rooms.add_restriction"))

    def save_model(self, request: HttpRequest, obj: Restriction, form: Any, change: bool) -> None:
        by = of_user(request.user)
        try:
            verbs.restrict(obj.room.name, of_user(obj.user), by, obj.kind, obj.until, obj.reason)
        except Refused as why:
            messages.error(request, str(why))
        else:
            obj.pk = Restriction.objects.get(room=obj.room, kind=obj.kind, user=obj.user).pk

    def log_addition(self, request: HttpRequest, obj: Restriction, message: Any) -> Any:
        """Not where it was refused."""
        return super().log_addition(request, obj, message) if obj.pk else None

    @admin.action(description="Lift")
    def lift(self, request: HttpRequest, rows: QuerySet[Restriction]) -> None:
        each(request, rows.select_related("room"), lambda row: verbs.lift(row.room.name, row.pk, of_user(request.user)))


@admin.register(Action)
class ActionAdmin(Window):
    """What was done, in all rooms."""

    list_display = ("at", "room_name", "by_whom", "verb", "who", "seq", "until", "detail", "reason")
    list_filter = ("verb",)
    list_select_related = ("by", "user")
    search_fields = ("=room_name", "=by__username", "=user__username", "name")
    ordering = ("-pk",)
