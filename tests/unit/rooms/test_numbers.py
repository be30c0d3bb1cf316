"""Numbers for programs stay numbers, in a country that writes 1.234 for what a program writes 1234."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation

from rooms.topics import RoomTopic
from topics.models import Entry, Log
from topics.people import guest_of

pytestmark = pytest.mark.django_db

SEQ = 1_234_567
# Attributes that a program reads, or that address something.
READ = re.compile(r'\s((?:data-[\w-]+|maxlength|minlength|size|rows|cols|value|href|action|id|width|height)="[^"]*")')


@pytest.fixture(autouse=True)
def germany(settings: Any) -> Iterator[None]:
    settings.LANGUAGE_CODE = "de"
    settings.USE_THOUSAND_SEPARATOR = True
    with translation.override("de"):
        yield


@pytest.fixture
def teahouse() -> None:
    RoomTopic(room="teahouse").append({"body": "hello"}, id="1234567", by=guest_of(None))
    Log.objects.update(seq=SEQ)
    Entry.objects.update(seq=SEQ)


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("carol", pk=1_234_567))
    return client


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/room/teahouse/",
        f"/room/teahouse/?reply={SEQ}",
        "/room/empty/",
        "/name/",
        "/accounts/login/",
        "/nowhere",
    ],
)
def test_no_attribute_has_a_number_with_points(teahouse: None, path: str) -> None:
    assert [found for found in READ.findall(page(Client(), path)) if re.search(r"\d[.\s]\d{3}", found)] == []


def test_the_browser_client_is_told_where_to_go_on_and_how_much_it_may_say(teahouse: None) -> None:
    shown = page(Client(), "/room/teahouse/")
    assert re.findall(r'data-seq="([^"]*)"', shown) == [str(SEQ), str(SEQ), "", ""]
    assert re.findall(r'data-limit="([^"]*)"', shown) == ["4000"]


def test_people_read_numbers_as_they_write_them(teahouse: None) -> None:
    assert "1.234.567 message" in page(Client(), "/")


@pytest.mark.parametrize(
    "path", ["/admin/rooms/room/", "/admin/topics/log/", "/admin/topics/entry/", "/admin/auth/user/"]
)
def test_the_admin_leads_to_what_it_lists(staff: Client, teahouse: None, path: str) -> None:
    listed = page(staff, path)
    links = re.findall(r'<th class="field-\w+"><a href="([^"]+)"|<td class="field-\w+"><a href="([^"]+)"', listed)
    assert links
    for link in ("".join(pair) for pair in links):
        assert staff.get(link).status_code == 200


def page(client: Client, path: str) -> str:
    return str(client.get(path).content.decode())
