"""Pages without a build before them: plain static files, and passwords that cost nothing."""

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def cheap_pages(settings: Any) -> None:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
