"""The project's addresses and the page."""

from django.urls import path

from apps.faulty import views
from config.urls import *  # noqa: F403
from config.urls import urlpatterns as ours

urlpatterns = [*ours, path("ledger/<slug:owner>/", views.page)]
