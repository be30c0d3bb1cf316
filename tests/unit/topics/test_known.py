"""What an app knows by heart: one question to the database for any number of messages, and one more after a change."""

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction

from topics import Refused, known, permission
from topics.delivery.services import Services
from topics.known import Known
from topics.people import Person
from unit.realtime.fakes import until

from .declared import Chat
from .test_consumer import OPEN, Client
from .test_http import follow, get

pytestmark = [pytest.mark.django_db]

WHY = "You are banned until tomorrow."


class Bans:
    """Whom the app has banned, in its table, and how often that was read."""

    def __init__(self) -> None:
        self.table: set[str] = set()
        self.read = 0
        self.by_heart = Known("tests.bans", self._read)

    def _read(self) -> set[str]:
        self.read += 1
        return set(self.table)

    def ban(self, name: str) -> None:
        self.table.add(name)
        self.by_heart.changed()


@pytest.fixture
def bans(monkeypatch: pytest.MonkeyPatch) -> Bans:
    bans = Bans()

    async def may(self: Chat, person: Person, act: str) -> bool:
        if person.name in await bans.by_heart.get():
            raise Refused(WHY, code="banned")
        return True

    monkeypatch.setattr(Chat, "may", may)
    monkeypatch.setattr(permission, "KEPT_SECONDS", 0)  # each message asks
    return bans


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Any:
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.mark.usefixtures("process")
async def test_it_is_read_once_and_again_when_it_has_changed(bans: Bans, committed: Any) -> None:
    alice, bob = Client("alice"), Client("bob")
    for client in (alice, bob):
        await client.joins(OPEN)
    for number in range(20):
        assert (await alice.sends(OPEN, f"a{number}", 1))["type"] == "ack"
    assert bans.read == 1
    with committed(), transaction.atomic():
        bans.ban("bob")
    await until(lambda: Services.here().hub.standing._heeded)
    error = await bob.sends(OPEN, "b", 1)
    assert (error["code"], error["detail"]) == ("banned", WHY)
    assert (await alice.sends(OPEN, "a", 1))["type"] == "ack"
    assert bans.read == 2


@pytest.mark.usefixtures("process")
async def test_who_may_not_is_told_why_by_every_door(bans: Bans, committed: Any) -> None:
    alice, stream = Client("alice"), await follow("alice")
    await alice.joins(OPEN)
    with committed(), transaction.atomic():
        bans.ban("alice")
        Chat(name_of_it="open").recheck()
    left = {"type": "left", "topic": OPEN, "reason": "forbidden", "detail": WHY}
    assert await alice.hears("left") == left
    assert (await stream.hears("goodbye"))[1]["detail"] == WHY
    alice.says(type="join", topic=OPEN)
    assert (await alice.hears("error"))["detail"] == WHY
    answer = await get("alice")
    assert (answer.status_code, answer.json()["code"]) == (403, "banned")


@pytest.mark.usefixtures("process")
async def test_where_no_socket_is_it_is_soon_read_again(bans: Bans, monkeypatch: pytest.MonkeyPatch) -> None:
    Services.here()
    monkeypatch.setattr(known, "ALONE_SECONDS", 0)
    for _ in range(2):
        await bans.by_heart.get()
    assert bans.read == 2


def test_sync_code_asks_the_database_once_for_each_of_its_questions(bans: Bans) -> None:
    people = [Person(f"guest:{name}", name, guest=True) for name in ("alice", "bob")]
    bans.table.add("bob")
    readable = {who.name for who in people if permission.readable([Chat(name_of_it="open")], who)}
    assert readable == {"alice"}
    assert bans.read == 2
    assert async_to_sync(bans.by_heart.get)() == {"bob"}
