from django.urls import path

from topics import token_pages

urlpatterns = [
    path("", token_pages.tokens, name="tokens"),
    path("<int:pk>/revoke/", token_pages.revoke, name="revoke-token"),
]
