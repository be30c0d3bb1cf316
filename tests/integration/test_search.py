"""What was said is found by its words, on both databases, through the pages of real servers."""

import re
from collections.abc import Iterator
from html import unescape
from typing import NamedTuple
from urllib.parse import quote

import pytest

from client import enter, new_room
from servers.app import Image, Server, environment
from servers.postgres import Postgres
from visitor import Visitor, room_page

MANY = 10_000
FILL = """
from topics.models import Entry, Log
from rooms.topics import RoomTopic
from topics.searching import filling
SAID = ['{"body":"茶馆 %%d"}', '{"body":"tea %%d"}']
topic = RoomTopic(room=%(room)r)
topic.append({"body": "tea 1"})
log = Log.objects.get(name=topic.name)
like = Entry.objects.get(log=log)
Entry.objects.bulk_create([
    Entry(log=log, seq=seq, client_id=str(seq), data=SAID[seq %% 2] %% seq, at=like.at)
    for seq in range(2, %(many)d + 1)
], batch_size=1000)
Log.objects.filter(pk=log.pk).update(seq=%(many)d)
while filling.fill(log, 1000):
    pass
"""


class Site(NamedTuple):
    server: Server
    env: dict[str, str]


@pytest.fixture(scope="module", params=["Postgres", "SQLite"])
def site(
    request: pytest.FixtureRequest, image: Image, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    file = tmp_path_factory.mktemp("search") / "db.sqlite3"
    database = postgres.create_database("search") if request.param == "Postgres" else f"sqlite:///{file}"
    server = image.ws("daphne", env := environment(DATABASE_URL=database))
    image.migrate(env)
    server.start()
    yield Site(server, env)
    server.kill()


class Seeker(Visitor):
    """Somebody who looks for words."""

    def pages(self, text: str, room: str | None = None) -> Iterator[str]:
        path = f"{room_page(room)}search/" if room else "/search/"
        address: str | None = f"{path}?q={quote(text)}"
        while address:
            page = self.get(address)
            assert page.status == 200, page.text
            yield page.text
            more = re.search(r'rel="next" href="([^"]+)"', page.text)
            address = path + unescape(more[1]) if more else None

    def finds(self, text: str, room: str | None = None) -> list[str]:
        return [body for page in self.pages(text, room) for body in bodies(page)]


def bodies(page: str) -> list[str]:
    found = re.findall(r'<p class="body"[^>]*>(.*?)</p>', page, re.DOTALL)
    return [unescape(re.sub("<[^>]*>", "", body)) for body in found]


@pytest.mark.parametrize(
    ("typed", "marked"),
    [
        ("tea", "tea"),
        ("TEA", "tea"),
        ("茶", "茶"),
        ("茶馆", "茶馆"),
        ("去茶馆喝", "去茶馆喝"),
        ("o'clock", "o&#x27;clock"),
        ("100%", "100"),
        ("a_b", "a_b"),
        ("c:\\temp", "c:\\temp"),
        ("cafe\u0301", "café"),
        ("нача", "Нача"),
        ("'); DROP", None),
        ("b_a", None),
        ("馆茶", None),
    ],
)
async def test_somebody_finds_what_another_has_just_said(site: Site, typed: str, marked: str | None) -> None:
    room, other = new_room(), new_room()
    said = "At 5 o'clock, tea: 我们去茶馆喝茶 a_b c:\\temp 100% café Начало"
    async with await enter(site.server.ws_url, room) as bob, await enter(site.server.ws_url, other) as carol:
        await bob.say(said)
        await carol.say("nothing")
    alice = Seeker(site.server.url)
    assert alice.finds(typed, room) == ([said] if marked else [])
    assert alice.finds(typed, other) == []
    [page] = alice.pages(typed, room)
    assert not marked or f"<mark>{marked}</mark>" in page
    assert (said in alice.finds(typed)) == bool(marked)


def test_words_that_were_taken_back_are_found_no_more(site: Site) -> None:
    room, alice, bob = new_room(), Seeker(site.server.url), Visitor(site.server.url)
    for number in range(1, 4):
        assert bob.post(room_page(room), {"body": f"secret {number}"}).status == 303
    assert alice.finds("secret", room) == ["secret 3", "secret 2", "secret 1"]
    assert bob.post(f"{room_page(room)}1/", {"body": "open"}).status == 303
    assert bob.post(f"{room_page(room)}3/", {"remove": "1"}).status == 303
    assert alice.finds("secret", room) == ["secret 2"]
    assert alice.finds("open", room) == ["open"]


def test_ten_thousand_messages_are_read_page_by_page_each_once(image: Image, site: Site) -> None:
    room, alice = new_room(), Seeker(site.server.url)
    image.manage("shell", "-c", FILL % {"room": room, "many": MANY}, env=site.env)
    expected = [f"茶馆 {seq}" for seq in range(MANY, 0, -2)]
    read: list[str] = []
    for page, _ in zip(alice.pages("馆", room), range(10), strict=False):  # the rest would be asked to wait
        read += bodies(page)
    assert read == expected[:200]
    assert alice.finds("茶馆 79", room) == [body for body in expected if body.startswith("茶馆 79")]
    assert alice.finds("tea 9999", room) == ["tea 9999"]
    assert alice.finds("tea 1", room)[-1] == "tea 1"
