"""People with browsers."""

import pytest
from django.test import Client


@pytest.fixture(autouse=True)
def cheap(cheap_pages: None) -> None:
    pass


@pytest.fixture
def alice() -> Client:
    return Client()


@pytest.fixture
def bob() -> Client:
    return Client()
