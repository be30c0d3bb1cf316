"""No guest is called what an account is called, nor what looks like it."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from rooms.likeness import is_taken, likeness
from rooms.models import AccountName

pytestmark = pytest.mark.django_db

ALIKE = [
    ("alice", "Alice"),
    ("alice", "ALICE"),
    ("alice", "AIice"),  # a capital I
    ("alice", "a1ice"),
    ("alice", "аlicе"),  # two of them Cyrillic
    ("alice", "𝒶𝓁𝒾𝒸ℯ"),
    ("alice", "ａｌｉｃｅ"),
    ("alice", "álicê"),
    ("alice", "a l i c e"),
    ("alice", "alice ✓"),
    ("alice", "👑alice👑"),
    ("alice", "@alice."),
    ("bob", "b0b"),
    ("bob", "B0B"),
    ("bob", "ВОВ"),  # Cyrillic
    ("mary", "rnary"),
    ("straße", "STRASSE"),
    ("андрей", "Андрeй"),  # a Latin e
    ("李明", "李 明"),
    ("علیرضا", "علی\u200cرضا"),
]


@pytest.mark.parametrize(("account", "guest"), ALIKE)
def test_names_that_look_alike_are_taken_for_one(account: str, guest: str) -> None:
    assert likeness(account) == likeness(guest)
    User.objects.create_user(account)
    assert is_taken(guest)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alice", "alicia"),
        ("bob", "rob"),
        ("李明", "李朋"),
        ("रवि", "रवा"),
        ("🍵", "🍰"),
        ("✓", "✗"),
        ("Panda 123", "Panda 124"),
    ],
)
def test_names_that_a_reader_tells_apart_are_two(one: str, other: str) -> None:
    assert likeness(one) != likeness(other)


def called(guest: Client, name: str) -> Any:
    return guest.post("/name/", {"name": name})


def test_a_guest_is_told_why_a_name_is_not_to_be_had_and_keeps_the_one_she_has() -> None:
    User.objects.create_user("alice")
    mallory = Client()
    assert called(mallory, "Mallory").status_code == 303
    page = called(mallory, "Аlice ✓")
    assert page.status_code == 422
    assert "Choose another name, or log in." in page.content.decode()
    assert 'data-you="Mallory"' in mallory.get("/room/teahouse/").content.decode()
    assert called(mallory, "Alicia").status_code == 303


@pytest.mark.parametrize("name", ["علی\u200cرضا", "രാജന\u0d4d\u200d", "👩🏽\u200d💻", "Ålice 爱丽丝"])
def test_joiners_where_a_script_or_an_emoji_needs_them_are_fine(name: str) -> None:
    assert called(Client(), name).status_code == 303


def test_an_account_gets_another_name_and_its_old_one_is_free() -> None:
    user = User.objects.create_user("alice")
    user.username = "carol"
    user.save()
    assert (is_taken("alice"), is_taken("Carol")) == (False, True)
    user.delete()
    assert not is_taken("carol")
    assert not AccountName.objects.exists()


def test_a_login_looks_at_no_name(django_assert_num_queries: Any) -> None:
    user = User.objects.create_user("alice")
    with django_assert_num_queries(1):
        user.save(update_fields=["last_login"])


def test_accounts_of_the_version_before_are_noted_by_the_next_migration() -> None:
    User.objects.bulk_create([User(username=f"user{number}") for number in range(3)] + [User(username="alice")])
    assert is_taken("alice")  # by the very name, at once
    assert not is_taken("АLICE")
    call_command("migrate", verbosity=0)
    assert is_taken("АLICE")
    assert AccountName.objects.count() == 4


def test_an_account_that_the_version_before_has_deleted_keeps_no_name() -> None:
    user = User.objects.create_user("alice")
    User.objects.filter(pk=user.pk)._raw_delete("default")
    assert not is_taken("alice")


def test_the_longest_and_widest_name_is_noted() -> None:
    User.objects.create_user("ﷺ" * 150)
    assert is_taken("ﷺ" * 150)
