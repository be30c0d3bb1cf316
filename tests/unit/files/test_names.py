"""What files are called by those who send them."""

import pytest

from files.models import MAX_NAME
from files.names import UNKNOWN, clean_name, clean_type, is_allowed


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("tea.txt", "tea.txt"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/", "file"),
        ("..", "file"),
        ("", "file"),
        ("\u202egpj.exe", "gpj.exe"),
        ("a\u0000b\r\nX: y.txt", "abX_ y.txt"),
        ('a"b<c>.txt', "a_b_c_.txt"),
        ("CON.txt", "file CON.txt"),
        ("茶\u200b.png", "茶.png"),
        (".htaccess", "htaccess"),
        ("u\u0308.txt", "ü.txt"),
    ],
)
def test_a_name_is_the_last_part_of_a_path_and_can_be_seen(given: str, kept: str) -> None:
    assert clean_name(given) == kept


def test_a_long_name_keeps_its_end() -> None:
    name = clean_name("茶" * 300 + ".tar")
    assert (len(name), name[-4:]) == (MAX_NAME, ".tar")
    assert len(clean_name("x" * 300)) == MAX_NAME


@pytest.mark.parametrize(
    ("given", "kept"),
    [("image/PNG", "image/png"), ("text/html; charset=x", "text/html"), ("text", UNKNOWN), ("a/b\r\nX: y", UNKNOWN)],
)
def test_a_type_is_a_type_or_unknown(given: str, kept: str) -> None:
    assert clean_type(given) == kept


def test_only_types_that_are_named_are_taken() -> None:
    assert is_allowed("image/png", ("image/*",))
    assert is_allowed("application/pdf", ("image/*", "application/pdf"))
    assert not is_allowed("text/html", ("image/*",))
    assert is_allowed("text/html", ())
