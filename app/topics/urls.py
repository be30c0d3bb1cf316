from django.urls import path

from topics import http, inspector

urlpatterns = [
    path("", inspector.inspector, name="inspector"),
    path("<path:name>", http.topic, name="topic"),
]
