"""People with browsers."""

import pytest
from django.test import Client

from topics.storing import logs


@pytest.fixture(autouse=True)
def cheap(cheap_pages: None) -> None:
    pass


@pytest.fixture(autouse=True)
def no_log_is_known() -> None:
    """What a test before has made is rolled back, and its log's key is another room's here."""
    logs._known.clear()


@pytest.fixture
def alice() -> Client:
    return Client()


@pytest.fixture
def bob() -> Client:
    return Client()
