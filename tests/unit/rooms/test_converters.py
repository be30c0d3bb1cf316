"""Which names a room may have: alice and bob write in many scripts."""

import unicodedata

import pytest
from django.urls import path, reverse
from django.urls.resolvers import RoutePattern
from hypothesis import given
from hypothesis import strategies as st

from rooms.converters import InvalidRoomName, RoomNameConverter, checked_name, valid_name

ROUTE = path("room/<room:name>/", lambda request: None).pattern


def name_in(url: str) -> str | None:
    assert isinstance(ROUTE, RoutePattern)
    match = ROUTE.match(url)
    return match[2]["name"] if match else None


@pytest.mark.parametrize("name", ["a", "A-b_3", "हिन्दी", "房间", "ру́сский", "x" * 64, "٣", "Ⅷ", "-", "𠀀" * 64])
def test_letters_marks_and_numbers_of_every_script_make_a_name(name: str) -> None:
    assert checked_name(name) == name
    assert name_in(f"room/{name}/") == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x" * 65,
        "a b",
        "a\n",
        "\na",
        "a\r",
        "a.b",
        "a/b",
        "🙂",
        "a\x00",
        "a\u200b",
        "\ud800",
        "a%20b",
        "a:b",
        "\u2028",
    ],
)
def test_anything_else_is_no_room(name: str) -> None:
    with pytest.raises(InvalidRoomName):
        checked_name(name)
    assert name_in(f"room/{name}/") is None
    assert name_in("room/a/\n") is None


def test_a_name_is_one_room_however_its_accents_are_written() -> None:
    decomposed = "cafe\u0301"
    assert name_in(f"room/{decomposed}/") == checked_name(decomposed) == "café"
    assert not valid_name(decomposed)
    assert valid_name("café")


def test_the_refusal_is_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"1 to 64 letters.*\.$"):
        checked_name("")


def test_a_name_stands_in_its_address_as_it_is() -> None:
    assert RoomNameConverter().to_url("房间") == "房间"
    assert reverse("room", args=["房间"]).endswith("/%E6%88%BF%E9%97%B4/")


@given(st.text(max_size=70))
def test_whatever_is_asked_for_the_name_is_valid_or_refused(text: str) -> None:
    try:
        name = checked_name(text)
    except InvalidRoomName:
        assert not valid_name(text)
    else:
        assert valid_name(name)
        assert checked_name(name) == name == unicodedata.normalize("NFC", text)
