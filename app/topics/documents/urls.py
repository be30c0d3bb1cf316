from django.urls import path

from topics.documents import views

urlpatterns = [
    path("", views.docs, name="docs"),
    path("asyncapi.json", views.document, {"name": "asyncapi"}, name="asyncapi"),
    path("openapi.json", views.document, {"name": "openapi"}, name="openapi"),
]
