"""What a text is searched by: words as a reader takes them, in any script."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topics.searching.words import Query, kept


@pytest.mark.parametrize(
    ("typed", "said", "marked"),
    [
        ("tea", "Tea, or a teahouse?", ["Tea", "tea"]),
        ("house", "a teahouse", None),
        ("tea bob", "Bob drinks tea", ["Bob", "tea"]),
        ("tea bob", "Bob drinks", None),
        ("a", "a teahouse", ["a"]),
        ("foo_bar", "see foo-bars", ["foo-bar"]),
        ("foo_bar", "foo and bar", None),
        ("100%", "of 100 percent", ["100"]),
        ("o'clock", "at 5 O'Clock", ["O'Clock"]),
        (r"c:\temp", r"look into C:\Temp\x", [r"C:\Temp"]),
        ("茶馆", "我们去茶馆吧", ["茶馆"]),
        ("茶", "我们去茶馆吧", ["茶"]),
        ("馆茶", "我们去茶馆吧", None),
        ("茶 我", "我们去茶馆吧", ["我", "茶"]),
        ("去吧", "我们去茶馆吧", None),
        ("去吧", "去，吧", None),
        ("wifi密码", "请问WiFi密码是多少", ["WiFi密码"]),
        ("カフェ", "ｶﾌｪに行く", ["ｶﾌｪ"]),
        ("นาม", "ชื่อสถานามแปลก", ["นาม"]),
        ("हिन्दी", "मैं हिन्दी बोलता हूँ", ["हिन्दी"]),
        ("학교", "학교에 갔다", ["학교"]),
        ("strasse", "Die Straße", ["Straße"]),
        ("café", "Cafe\u0301!", ["Cafe\u0301"]),
        ("fin", "ﬁne", ["ﬁn"]),
        ("ＴＥＡ", "tea", ["tea"]),
        ("x" * 80, "x" * 90, ["x" * 64]),
    ],
)
def test_words_are_found_as_a_reader_takes_them(typed: str, said: str, marked: list[str] | None) -> None:
    query = Query.of(typed)
    assert query.matches(said) == (marked is not None)
    if marked is not None:
        assert [said[start:end] for start, end in query.spans(said)] == marked


@pytest.mark.parametrize("typed", ["", " ", "%", "_", "'\"\\", "\x00", "？！。", "👍", "\u0301"])
def test_what_has_no_letter_is_no_word(typed: str) -> None:
    assert Query.of(typed).phrases == []
    assert kept(typed) == ""


texts = st.text("aAbé%_'\\ .\x00ßﬁ茶馆去ｶﾞพ่ก\u0301İ", max_size=12)


@given(texts, texts, texts)
def test_what_was_said_is_found_by_any_part_of_it_that_begins_a_word(before: str, typed: str, after: str) -> None:
    said = f"{before} {typed} {after}"
    query = Query.of(typed)
    assert query.matches(said)
    spans = query.spans(said)
    assert all(0 <= start < end <= len(said) for start, end in spans)
    assert all(one[1] < other[0] for one, other in pairwise(spans))
    assert bool(spans) == bool(query.phrases)


@given(texts, texts)
def test_what_is_marked_is_what_matches(typed: str, said: str) -> None:
    """The index asks for the same as the page shows."""
    query = Query.of(typed)
    if len(query.phrases) == 1:
        assert query.matches(said) == bool(query.spans(said))
        listed = kept(said).split()
        if query.matches(said):
            for word, begins in query.phrases[0].lexemes:
                assert any(one.startswith(word) if begins else one == word for one in listed)


@given(st.text(max_size=40))
def test_what_is_kept_has_nothing_but_words_and_single_blanks(said: str) -> None:
    assert " ".join(kept(said).split(" ")[1:-1]) == kept(said).strip(" ")
    assert "\x00" not in kept(said)
