"""Who may see the inspector, and what it says: alice is staff, bob has an account, carol has none."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import AsyncClient, Client, RequestFactory

from topics.errors import Unreachable
from topics.inspector import is_at_the_machine
from topics.topic import Topic

from .declared import Chat

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("process")]

JSON = {"accept": "application/json"}


def somebody(name: str, staff: bool = False, sees: bool = False) -> AsyncClient:
    user = get_user_model().objects.create_user(name, is_staff=staff)
    if sees:
        user.user_permissions.add(Permission.objects.get(codename="view_entry"))
    browser, client = Client(), AsyncClient()
    browser.force_login(user)
    client.cookies = browser.cookies
    return client


async def topics(client: AsyncClient, query: str = "", **more: Any) -> list[dict[str, Any]]:
    answer = await client.get(f"/topics/{query}", headers=JSON, **more)
    assert answer.status_code == 200
    return answer.json()["topics"]  # type: ignore[no-any-return]


async def test_staff_sees_it_and_nobody_else() -> None:
    alice, bob = somebody("alice", staff=True), somebody("bob")
    page = await alice.get("/topics/")
    assert page.status_code == 200
    assert "no-store" in page.headers["Cache-Control"]
    assert "chat/" in page.content.decode()
    assert [(await bob.get("/topics/", headers=headers)).status_code for headers in ({}, JSON)] == [403, 403]
    assert (await AsyncClient().get("/topics/")).url == "/accounts/login/?next=/topics/"
    assert (await AsyncClient().get("/topics/", headers=JSON)).status_code == 403


async def test_who_is_staff_no_more_sees_it_no_more() -> None:
    alice = somebody("alice", staff=True)
    get_user_model().objects.update(is_active=False)
    assert (await alice.get("/topics/")).status_code == 302


async def test_a_developer_at_the_machine_needs_no_account(settings: Any) -> None:
    assert (await AsyncClient().get("/topics/")).status_code == 302
    settings.DEBUG = True
    assert (await AsyncClient().get("/topics/")).status_code == 200
    Chat(name_of_it="open").append("seen")
    assert [topic["last"] for topic in await topics(AsyncClient())] == ['"seen"']


@pytest.mark.parametrize(
    ("address", "headers", "there"),
    [
        ("127.0.0.1", {}, True),
        ("::1", {}, True),
        ("192.0.2.1", {}, False),
        ("", {}, False),
        ("127.0.0.1", {"x-forwarded-for": "192.0.2.1"}, False),
        ("127.0.0.1", {"forwarded": "for=192.0.2.1"}, False),
    ],
)
def test_nobody_behind_a_proxy_is_at_the_machine(
    address: str, headers: dict[str, str], there: bool, settings: Any
) -> None:
    settings.DEBUG = True
    request = RequestFactory().get("/topics/", headers=headers, REMOTE_ADDR=address)
    assert is_at_the_machine(request) == there
    settings.DEBUG = False
    assert not is_at_the_machine(request)


async def test_topics_are_listed_with_numbers_members_and_last_events() -> None:
    Chat(name_of_it="open").append({"text": "你好"})
    Chat(name_of_it="open").append({"text": "x" * 500})
    Chat(name_of_it="other").append(1)
    alice = somebody("alice", staff=True, sees=True)
    other, first = await topics(alice)
    assert other == {"name": "chat/other", "seq": 1, "last": "1", "members": 0}
    assert (first["name"], first["seq"], len(first["last"])) == ("chat/open", 2, 200)
    assert [topic["name"] for topic in await topics(alice, "?q=oth")] == ["chat/other"]
    assert await topics(alice, "?q=%00nothing") == []


async def test_staff_who_may_not_see_events_in_the_admin_sees_none_here() -> None:
    Chat(name_of_it="open").append("secret")
    assert [topic["last"] for topic in await topics(somebody("alice", staff=True))] == [None]


async def test_where_nobody_knows_who_is_here_the_rest_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unreachable(self: Topic, limit: int = 100) -> Any:
        raise Unreachable

    Chat(name_of_it="open").append(1)
    monkeypatch.setattr(Chat, "amembers", unreachable)
    assert [topic["members"] for topic in await topics(somebody("alice", staff=True))] == [None]


async def test_nothing_is_posted_there() -> None:
    assert (await (somebody("alice", staff=True)).post("/topics/")).status_code == 405
