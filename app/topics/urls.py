from django.urls import path

from topics import http

urlpatterns = [path("<path:name>", http.topic, name="topic")]
