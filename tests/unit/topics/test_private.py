"""Topics that are in nobody's lists but their readers': alice may read one, bob none."""

from collections.abc import Collection
from typing import Any

import pytest

from topics import Person, Topic, news, routes
from topics.delivery.looking import Look
from topics.models import Read
from topics.news import News

from .test_unread import ALICE, BOB

pytestmark = pytest.mark.django_db

ASKED: list[tuple[Collection[str], Collection[str]]] = []
READERS = {"talk/secret-a": {ALICE.key}}


@pytest.fixture(autouse=True)
def talks(monkeypatch: pytest.MonkeyPatch) -> None:
    class Talk(Topic):
        route = "talk/<slug:called>"
        private = "talk/secret-"
        searched = ("body",)
        called: str

        def may(self, person: Person, act: str) -> bool:
            return not self.name.startswith(self.private) or person.key in READERS.get(self.name, ())

        @classmethod
        def of_reader(cls, person: Person) -> list[str]:
            return [name for name, keys in READERS.items() if person.key in keys]

        @classmethod
        def readers_of(cls, names: Collection[str], people: Collection[str]) -> dict[str, set[str]]:
            ASKED.append((list(names), list(people)))
            return {name: READERS.get(name, set()) & set(people) for name in names}

    class Digest(News):
        route = "digest/<slug:person>"
        about = Talk

    monkeypatch.setattr(routes, "classes", [Talk, Digest])
    monkeypatch.setattr(routes, "_found", {})
    monkeypatch.setattr(news, "kinds", [Digest])
    monkeypatch.setattr(f"{__name__}.READERS", {"talk/secret-a": {ALICE.key}})
    ASKED.clear()


def talk(name: str) -> Any:
    return routes.find(f"talk/{name}")


def digest() -> Any:
    return news.kinds[0]


def told(look: Look, here: dict[str, list[object]]) -> dict[str, list[str]]:
    return {
        key: [name for name in ("talk/open", "talk/secret-a", "talk/secret-b") if f'"{name}"' in text]
        for key, text in look.look(here).items()
    }


def test_the_latest_topics_of_all_are_those_that_are_not_private() -> None:
    for name in ("open", "secret-a", "secret-b"):
        talk(name).append({"body": "kettle"})
    assert [one.topic.name for one in type(talk("open")).recent(10)] == ["talk/open"]


@pytest.mark.parametrize(("reader", "found"), [(ALICE, ["talk/secret-a", "talk/open"]), (BOB, ["talk/open"])])
def test_a_search_looks_in_the_readers_own_ones_and_offers_no_page_of_others(reader: Person, found: list[str]) -> None:
    talk("open").append({"body": "kettle"})
    for name in (*10 * ["secret-b"], "secret-a"):
        talk(name).append({"body": "kettle"})
    answer = type(talk("open")).search_all("kettle", reader=reader, limit=len(found))
    assert [hit.topic.name for hit in answer.hits] == found
    assert answer.next is None, "which would say that there is more"


def test_a_reader_is_told_of_what_she_has_not_read_yet_and_nobody_else_is() -> None:
    look, tabs = Look(digest()), {ALICE.key: [object()], BOB.key: [object()]}
    assert look.look(tabs) == {}
    for name in ("open", "secret-a", "secret-b"):
        talk(name).append({"body": "kettle"})
    assert told(look, tabs) == {ALICE.key: ["talk/open", "talk/secret-a"], BOB.key: ["talk/open"]}
    ASKED.clear()
    assert look.look(tabs) == {}
    assert ASKED == [], "as nothing is new"
    assert told(look, tabs | {ALICE.key: [object()]}) == {ALICE.key: ["talk/secret-a"]}, "on another device"


def test_who_may_read_no_more_is_told_nothing_of_what_she_has_read_before() -> None:
    secret, look, tabs = talk("secret-a"), Look(digest()), {ALICE.key: [object()]}
    secret.append({"body": "kettle"}, by=BOB)
    secret.read_up_to(ALICE, 1)
    assert look.look(tabs) != {}
    assert [(one.topic.name, one.read) for one in digest().readings(ALICE)] == [("talk/secret-a", 1)]
    READERS.clear()
    secret.append({"body": "kettle"}, by=BOB)
    assert Read.objects.filter(reader=ALICE.key).exists()
    assert (look.look(tabs), digest().readings(ALICE)) == ({}, [])


def test_what_a_reader_has_never_opened_is_new_to_her_as_a_whole() -> None:
    secret = talk("secret-a")
    secret.append({"body": "one"}, by=BOB)
    secret.append({"body": "two", "to": [ALICE.public_key]}, by=BOB)
    secret.append({"body": "three"}, by=ALICE)
    secret.retract(1, by=BOB)
    [one] = digest().readings(ALICE)
    assert (one.seq, one.read, one.unread, one.addressed) == (4, 0, 1, 1)
    secret.read_up_to(ALICE, 4)
    [one] = digest().readings(ALICE)
    assert (one.read, one.unread, one.addressed) == (4, 0, 0)
    assert digest().readings(BOB) == []
