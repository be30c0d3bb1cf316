"""Who has which part in a room."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction

from rooms import making
from rooms.models import Kind, Member, Role, Room
from rooms.roles import moderates, role_of
from rooms.topics import RoomTopic
from topics import Person
from topics.people import of_user

pytestmark = pytest.mark.django_db

GUEST = Person("guest:g", "Lynx 101", guest=True)
HI = {"body": "hi"}


def account(name: str, **more: Any) -> Person:
    return of_user(get_user_model().objects.create_user(name, **more))


def test_whoever_makes_a_room_by_an_account_owns_it_by_the_form_and_by_the_first_message() -> None:
    alice, bob = account("alice"), account("bob")
    making.make("teahouse", alice)
    RoomTopic(room="parlour").append(HI, by=bob)
    assert (role_of("teahouse", alice), role_of("parlour", bob)) == (Role.OWNER, Role.OWNER)
    RoomTopic(room="teahouse").append(HI, by=bob)
    making.make("teahouse", bob)
    assert role_of("teahouse", bob) is None
    assert {*Room.objects.values_list("kind", flat=True)} == {Kind.OPEN}


def test_a_room_that_a_guest_or_a_program_has_made_has_no_owner() -> None:
    RoomTopic(room="teahouse").append(HI, by=GUEST)
    RoomTopic(room="parlour").append(HI)
    RoomTopic(room="teahouse").append(HI, by=account("alice"))
    assert not Member.objects.exists()


def test_a_room_has_one_owner() -> None:
    making.make("teahouse", account("alice"))
    with pytest.raises(IntegrityError), transaction.atomic():
        Member.objects.create(room=Room.objects.get(), user_id=account("bob").user_id, role=Role.OWNER)


def test_owner_moderators_and_staff_keep_order_and_nobody_else() -> None:
    alice, bob, carol = account("alice"), account("bob"), account("carol")
    staff, gone = account("staff", is_staff=True), account("gone", is_staff=True, is_active=False)
    making.make("teahouse", alice)
    room = Room.objects.get()
    Member.objects.create(room=room, user_id=bob.user_id, role=Role.MODERATOR)
    Member.objects.create(room=room, user_id=carol.user_id)
    assert role_of("teahouse", carol) is Role.MEMBER
    assert [moderates("teahouse", one) for one in (alice, bob, staff)] == 3 * [True]
    assert [moderates("teahouse", one) for one in (carol, gone, account("mallory"))] == 3 * [False]
    assert not moderates("parlour", alice)


def test_nothing_is_asked_about_a_guest(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert role_of("teahouse", GUEST) is None
        assert not moderates("teahouse", GUEST)
