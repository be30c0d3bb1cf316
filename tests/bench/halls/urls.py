"""The project's URLs, and the view that appends."""

from django.urls import include, path

from bench.halls.views import append
from config.urls import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500"]

urlpatterns = [path("append/<slug:hall>", append), path("", include("config.urls"))]
