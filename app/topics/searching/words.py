"""Texts as they are searched: in words, which look alike where a reader takes them for the same. Pure.

Text is folded (NFKC, without case) and cut into words; all else, such as quotes and percent signs, only separates.
In scripts that put no spaces between words each sign is a word, and each two beside each other are one, too: 世界 is
世, 世界, 界. So a search for any part of a sentence finds it, by an index of words, in every language and whatever
the database's own locale knows of it.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import zip_longest
from typing import Final, NamedTuple

LONGEST: Final = 64  # characters of a word that count

# Han, kana, Thai, Lao, Burmese, Khmer.
UNSPACED: Final = (
    r"\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
    r"\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd-\u0ec6\u1000-\u102a\u103f\u1780-\u17b3"
)
# What belongs to the sign before it. Most scripts' are here; Python's \w has none.
MARKS: Final = "".join(
    sign
    for block in (range(0x300, 0x3100), range(0xA000, 0xAC00), range(0xFB00, 0xFE30))
    for sign in map(chr, block)
    if unicodedata.category(sign).startswith("M")
)
WORD: Final = re.compile(rf"(?P<sign>[{UNSPACED}][{MARKS}]*)|[^\W_{UNSPACED}](?:[^\W_{UNSPACED}]|[{MARKS}])*")
CLUSTER: Final = re.compile(rf".[{MARKS}\u1160-\u11ff]*", re.DOTALL)  # what NFKC may put together

Span = tuple[int, int]


class Word(NamedTuple):
    """A word of a folded text, and where it stands. `joined`: the next sign follows at once."""

    text: str
    start: int
    end: int
    sign: bool
    joined: bool


class Folded(NamedTuple):
    """A text as it is compared. `origins`: where each of its characters comes from, unless all are where they were."""

    text: str
    origins: list[Span] | None

    def span(self, start: int, end: int) -> Span:
        """In the text that was folded."""
        if self.origins is None:
            return start, end
        return self.origins[start][0], self.origins[end - 1][1]


def folded(text: str) -> Folded:
    if text.isascii():
        return Folded(text.lower(), None)
    if unicodedata.is_normalized("NFKC", text):
        same = _fold(text)
        if len(same) == len(text):  # nothing becomes shorter, so nothing has moved
            return Folded(same, None)
    signs, origins = [], []
    for cluster in CLUSTER.finditer(text):
        for sign in _fold(cluster[0]):
            signs.append(sign)
            origins.append(cluster.span())
    return Folded("".join(signs), origins)


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def words(text: str) -> list[Word]:
    """Of a folded text."""
    found = [Word(one[0][:LONGEST], *one.span(), one["sign"] is not None, False) for one in WORD.finditer(text)]
    return [
        one._replace(joined=True) if one.sign and after and after.sign and after.start == one.end else one
        for one, after in zip_longest(found, found[1:])
    ]


def kept(text: str) -> str:
    """What the database keeps of a text: its words, and pairs of signs, each after the one where it begins.

    With a blank before, between and after them; nothing where the text has no words.
    """
    return _listed(words(folded(text).text))


def _listed(found: list[Word]) -> str:
    listed = [name for one, after in zip_longest(found, found[1:]) for name in _names(one, after)]
    return f" {' '.join(listed)} " if listed else ""


def _names(one: Word, after: Word | None) -> Iterator[str]:
    yield one.text
    if one.joined and after:
        yield one.text + after.text


class Phrase(NamedTuple):
    """Words that are to stand beside each other, in this order."""

    words: list[Word]

    @property
    def open(self) -> bool:
        """Whether the last word may be the beginning of a longer one."""
        last = self.words[-1]
        return not last.sign and len(last.text) > 1

    @property
    def needle(self) -> str:
        """Is a part of what is kept of each text that has the phrase, and of no other."""
        listed = _listed(self.words)
        return listed[:-1] if self.open else listed

    @property
    def lexemes(self) -> Iterator[tuple[str, bool]]:
        """(word, whether it is the beginning of one): all are in each text that has the phrase."""
        before = False
        for number, (one, after) in enumerate(zip_longest(self.words, self.words[1:])):
            if one.joined and after:
                yield one.text + after.text, False
            elif not before:
                yield one.text, self.open and number == len(self.words) - 1
            before = one.joined

    def begins(self, found: list[Word], place: int) -> bool:
        there = found[place : place + len(self.words)]
        if len(there) < len(self.words):
            return False
        last, said = there[-1].text, self.words[-1].text
        if not (last.startswith(said) if self.open else last == said):
            return False
        pairs = zip(there[:-1], self.words[:-1], strict=True)
        return all(one.text == other.text and one.joined == other.joined for one, other in pairs)


class Query(NamedTuple):
    """What somebody looks for: all of these, wherever they are."""

    phrases: list[Phrase]

    @classmethod
    def of(cls, text: str) -> "Query":
        """What has no space in it is one phrase: `foo_bar`, `2.0` and 搜索 are."""
        parts = [words(folded(part).text) for part in text.split()]
        return cls([Phrase(part) for part in parts if part])

    def matches(self, text: str) -> bool:
        listed = kept(text)
        return all(phrase.needle in listed for phrase in self.phrases)

    def spans(self, text: str) -> list[Span]:
        """Where a text has what is looked for, from left to right, without overlaps."""
        same = folded(text)
        found = words(same.text)
        spans = sorted(
            same.span(found[place].start, self._end(phrase, found, place))
            for phrase in self.phrases
            for place in range(len(found))
            if phrase.begins(found, place)
        )
        return list(_merged(spans))

    @staticmethod
    def _end(phrase: Phrase, found: list[Word], place: int) -> int:
        """Of a longer word as much as was typed."""
        last = found[place + len(phrase.words) - 1]
        return last.start + len(phrase.words[-1].text) if phrase.open else last.end


def _merged(spans: list[Span]) -> Iterator[Span]:
    if not spans:
        return
    start, end = spans[0]
    for next_start, next_end in spans[1:]:
        if next_start > end:
            yield start, end
            start, end = next_start, next_end
        end = max(end, next_end)
    yield start, end
