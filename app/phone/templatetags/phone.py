"""What a room's page shows of notifications."""

from typing import Any

from django import template
from django.utils.translation import gettext as _

from phone import levels
from phone.models import ALL, MENTIONS, NOTHING
from rooms.models import Room

register = template.Library()


@register.inclusion_tag("phone/_notify.html", takes_context=True)
def notify(context: Any) -> dict[str, Any]:
    name = context["room"]
    chosen = levels.level(Room.objects.filter(name=name).first() or Room(name=name), context["person"])
    names = {ALL: _("All messages"), MENTIONS: _("Mentions of you"), NOTHING: _("Nothing")}
    choices = [(level, names[level], level == chosen) for level in levels.LEVELS]
    return {"room": name, "csrf_token": context.get("csrf_token"), "choices": choices}
