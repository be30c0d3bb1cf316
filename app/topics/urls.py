from django.urls import path

from topics import http, inspector, tickets

urlpatterns = [
    path("", inspector.inspector, name="inspector"),
    path("ticket", tickets.ticket, name="ticket"),
    path("<path:name>", http.topic, name="topic"),
]
