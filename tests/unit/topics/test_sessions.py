"""Whose session it is: alice and bob are logged in, carol only says so."""

from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from topics.people import Person, of_user
from topics.who.sessions import people_of

pytestmark = pytest.mark.django_db


class Other(ModelBackend):
    """A backend that looks users up in its own way, and does not know mallory."""

    def get_user(self, user_id: Any) -> Any:
        user = super().get_user(user_id)
        return None if user and user.get_username() == "mallory" else user


def log_in(name: str, **options: Any) -> tuple[str, Any]:
    """The session's key, and the user."""
    user = get_user_model().objects.create_user(name)
    browser = Client()
    browser.force_login(user, **options)
    return browser.cookies["sessionid"].value, user


def alone(key: str) -> Person | None:
    return people_of([key]).get(key)


def test_alice_is_known_by_her_session() -> None:
    key, alice = log_in("alice")
    assert alone(key) == of_user(alice) == Person(f"user:{alice.pk}", "alice", False, alice.pk)


def test_a_session_is_nobodys_once_the_account_is_closed_or_gone_or_has_another_password() -> None:
    key, alice = log_in("alice")
    alice.is_active = False
    alice.save()
    assert alone(key) is None
    alice.is_active = True
    alice.save()
    assert alone(key) == of_user(alice)
    alice.set_password("changed")
    alice.save()
    assert alone(key) is None
    other, bob = log_in("bob")
    bob.delete()
    assert alone(other) is None


def test_a_session_ends() -> None:
    key, _ = log_in("alice")
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert alone(key) is None


def test_a_session_that_somebody_wrote_without_the_secret_is_nobodys() -> None:
    key, _ = log_in("alice")
    Session.objects.update(session_data="carol:was:here")
    assert alone(key) is None


def test_a_session_in_which_nobody_has_logged_in_is_nobodys() -> None:
    browser = Client()
    session = browser.session
    session["theme"] = "dark"
    session.save()
    assert alone(session.session_key) is None


@pytest.mark.parametrize("key", ["short", "x" * 32, "a;b", "\xff" * 9, "x" * 5000])
def test_carols_invented_key_is_nobodys(key: str) -> None:
    assert alone(key) is None


def test_sessions_outlive_a_secret_key_that_became_a_fallback_and_end_with_it(settings: Any) -> None:
    key, alice = log_in("alice")
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another" * 10
    assert alone(key) is None
    settings.SECRET_KEY_FALLBACKS = [old]
    assert alone(key) == of_user(alice)
    assert alone(key) == of_user(alice)  # still: a socket cannot hand out the cookie of a new session
    assert Session.objects.filter(session_key=key).exists()


def test_a_backend_that_is_not_in_use_any_more_vouches_for_nobody(settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.Other", "django.contrib.auth.backends.ModelBackend"]
    key, alice = log_in("alice", backend=settings.AUTHENTICATION_BACKENDS[0])
    assert alone(key) == of_user(alice)
    settings.AUTHENTICATION_BACKENDS = settings.AUTHENTICATION_BACKENDS[1:]
    assert alone(key) is None


def test_a_backend_with_its_own_idea_of_users_is_asked(settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.Other"]
    (alices, alice), (mallorys, _) = log_in("alice"), log_in("mallory")
    assert people_of([alices, mallorys]) == {alices: of_user(alice)}


@pytest.fixture(params=["cache", "cached_db", "file", "signed_cookies"])
def other_engine(request: pytest.FixtureRequest, settings: Any, tmp_path: Any) -> Iterator[None]:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{request.param}"
    settings.SESSION_FILE_PATH = str(tmp_path)
    yield
    cache.clear()


@pytest.mark.usefixtures("other_engine")
def test_sessions_may_be_kept_elsewhere(settings: Any) -> None:
    key, alice = log_in("alice")
    assert people_of([key, "x" * 32]) == {key: of_user(alice)}
    import_module(settings.SESSION_ENGINE).SessionStore(key).flush()
    assert alone(key) is None or settings.SESSION_ENGINE.endswith("signed_cookies")


@pytest.mark.parametrize("people", [1, 50])
def test_however_many_they_are_two_queries_tell(people: int, django_assert_num_queries: Any) -> None:
    found = dict(log_in(f"user {number}") for number in range(people))
    with django_assert_num_queries(2):
        assert people_of(found) == {key: of_user(user) for key, user in found.items()}


def test_where_there_is_no_session_nothing_is_asked(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert people_of([]) == {}
