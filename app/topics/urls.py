from django.urls import path, register_converter
from django.urls.converters import StringConverter

from topics import inspector
from topics.http import views
from topics.tokens import tickets


class AnyName(StringConverter):
    """Whatever is asked for: a name that no topic can have is answered as any other one that is none."""

    regex = r"[\s\S]+"


register_converter(AnyName, "topic")

urlpatterns = [
    path("", inspector.inspector, name="inspector"),
    path("ticket", tickets.ticket, name="ticket"),
    path("<topic:name>", views.topic, name="topic"),
]
