from django.urls import path

from topics.tokens import pages

urlpatterns = [
    path("", pages.tokens, name="tokens"),
    path("<int:pk>/revoke/", pages.revoke, name="revoke-token"),
]
