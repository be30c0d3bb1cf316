"""The project's addresses and those of the foreign app."""

from django.urls import path

from apps.polls import views
from config.urls import *  # noqa: F403
from config.urls import urlpatterns as ours

urlpatterns = [*ours, path("polls/<slug:poll>/", views.poll)]
