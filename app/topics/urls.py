from django.urls import path

from topics import http, tickets

urlpatterns = [
    path("ticket", tickets.ticket, name="ticket"),
    path("<path:name>", http.topic, name="topic"),
]
