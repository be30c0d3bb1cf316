"""Pages without a build before them: plain static files, and passwords that cost nothing. People with browsers."""

from typing import Any

import pytest
from django.test import Client


@pytest.fixture(autouse=True)
def cheap_pages(settings: Any) -> None:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def alice() -> Client:
    return Client()


@pytest.fixture
def bob() -> Client:
    return Client()
