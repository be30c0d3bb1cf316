"""Which names can be seen: people write them in many scripts, and mallory in none."""

import pytest

from topics.names import is_person_name, is_room_name

LETTERS = {
    "Latin": "Ünïcode",
    "Cyrillic with a mark": "ру́сский",
    "Chinese": "茶馆",
    "Korean": "한국",
    "Hindi": "हिन्दी",
    "Persian, kept apart": "علی\u200cرضا",
    "Persian, kept apart after a letter that joins nothing": "امیر\u200cحسین",
    "Persian, with a vowel sign before": "واقعاً\u200cها",
    "Hindi, half a letter": "क\u094d\u200dष",
    "Hindi, a whole letter": "क\u094d\u200cष",
    "Bengali, before the virama": "র\u200d\u09cdযাব",
    "Sinhala": "ශ\u0dca\u200dරී",
    "Malayalam, at the end": "രാജന\u0d4d\u200d",
    "Japanese, one drawing of several": "葛\U000e0100城",
    "Mongolian, one drawing of several": "ᠨ\u180bᠠ",
    "digits": "٣Ⅷ²",
}
SIGNS = {
    "a space": "Anna Maria O'Neil-Müller, Ph.D.",
    "an emoji": "🍵",
    "a family": "👨\u200d👩\u200d👧\u200d👦",
    "a profession": "👩🏽\u200d💻",
    "a heart": "❤\ufe0f",
    "a flag of colours": "🏳\ufe0f\u200d🌈",
    "a flag": "🇩🇪",
    "a part of a country": "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "a key": "1\ufe0f\u20e3",
    "a skin": "✌🏾",
    "letters and emoji": "Zoë 🦊👍🏽",
}
UNSEEN = {
    "nothing": "",
    "a space alone": " ",
    "two spaces": "a  b",
    "a space at the end": "a ",
    "a space of another width": "a\u3000b",
    "a tab": "a\tb",
    "a Hangul filler": "\u3164",
    "half a Hangul filler": "\uffa0",
    "a filler for a first letter": "\u115f",
    "a filler for a vowel": "\u1160",
    "a blank of Braille": "\u2800",
    "a note without a head": "\U0001d159",
    "a joiner of graphemes": "\u034f",
    "a variation of nothing": "\ufe0f",
    "a variation of a letter": "a\ufe0f",
    "a drawing of a letter that has one": "a\U000e0100",
    "a variation in Mongolian of Latin": "a\u180b",
    "a vowel that is not there": "\u17b5",
    "a space without width": "a\u200b",
    "a word joiner": "a\u2060",
    "a soft hyphen": "\u00ad",
    "a joiner alone": "\u200d",
    "a joiner in Latin": "a\u200db",
    "a joiner at the beginning": "\u200cعلی",
    "a joiner at the end": "علی\u200c",
    "two joiners": "علی\u200c\u200cرضا",
    "a joiner after an emoji": "👨\u200d",
    "a joiner before an emoji": "\u200d👨",
    "two joiners between emoji": "👨\u200d\u200d👩",
    "a joiner after a mark": "e\u0301\u200db",
    "a mark alone": "\u0301",
    "a filler inside": "a\u3164b",
    "a turn": "a\u202eb",
    "an isolate": "\u2066a",
    "an Arabic mark of direction": "a\u061c",
    "a mark of direction": "\u200fa",
    "tags": "\U000e0061",
    "NUL": "a\x00b",
    "half a pair": "\ud800",
    "a private character": "\ue000",
    "no character": "\uffff",
    "an object": "\ufffc",
    "a line": "a\u2028b",
}


@pytest.mark.parametrize("name", LETTERS.values(), ids=LETTERS)
def test_what_is_written_in_any_script_names_people_and_rooms(name: str) -> None:
    assert is_person_name(name)
    assert is_room_name(name)
    assert is_room_name(f"{name}-{name}")


@pytest.mark.parametrize("name", SIGNS.values(), ids=SIGNS)
def test_people_may_have_signs_and_emoji_in_their_names_and_rooms_may_not(name: str) -> None:
    assert is_person_name(name)
    assert is_person_name(f"{name} {name}")
    assert not is_room_name(name)


@pytest.mark.parametrize("name", UNSEEN.values(), ids=UNSEEN)
def test_what_shows_nothing_names_nobody_and_no_room(name: str) -> None:
    assert not is_person_name(name)
    assert not is_room_name(name)


@pytest.mark.parametrize("end", ["\u0301", "\u200d", "\n", "\u3164"])
def test_a_long_name_is_judged_without_going_back_over_it(end: str) -> None:
    for long in ("क\u094d\u200d" * 4_000, "👨\u200d" * 4_000, "e\u0301" * 4_000, "علی\u200c" * 4_000, "a " * 4_000):
        is_person_name(long + end)
        is_room_name(long + end)
