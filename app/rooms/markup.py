"""What a body looks like on a page: links, and code between back-ticks. `static/rooms/markup.js` does the same.

Every character stays where it was, back-ticks too: what is copied from the page, or edited there, is what was said.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

# A link ends before a blank, a quote, an angle bracket or a back-tick, and before a character that turns the direction
# of writing: an address looks like where it leads. A bracket belongs to it that is closed in it, and not what ends the
# sentence around it.
OUT: Final = r'\x00-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff<>"`()'
END: Final = r".,:;!?'\[\]{}*_~。，、：；！？」』】）"
INNER: Final = rf"\([^{OUT}]*\)"
LINK: Final = rf"(?<![A-Za-z0-9])(?:https?://|mailto:)(?:[^{OUT}]|{INNER})*(?:[^{OUT}{END}]|{INNER})"
PARTS: Final = re.compile(rf"(?P<block>```[^`]+```\n?)|(?P<code>`[^`\n]+`)|(?P<link>{LINK})")
TAG: Final = '<a href="{0}" target="_blank" rel="noopener noreferrer nofollow ugc">{1}</a>'


Span = tuple[int, int]


def markup(body: str, found: Sequence[Span] = ()) -> SafeString:
    """`found`: what of it is marked, from left to right."""
    return mark_safe("".join(pieces(body, found)))


def pieces(body: str, found: Sequence[Span]) -> Iterator[str]:
    end = 0
    for part in PARTS.finditer(body):
        yield marked(body, end, part.start(), found)
        yield shown(str(part.lastgroup), part[0], marked(body, *part.span(), found))
        end = part.end()
    yield marked(body, end, len(body), found)


def shown(kind: str, text: str, words: str) -> str:
    if kind == "link":
        return TAG.format(escape(text), words)
    return f'<code class="block">{words}</code>' if kind == "block" else f"<code>{words}</code>"


def marked(body: str, start: int, end: int, found: Sequence[Span]) -> str:
    """That part of the body as HTML."""
    parts = []
    for first, last in found:
        first, last = max(first, start), min(last, end)
        if first < last:
            parts += [escape(body[start:first]), "<mark>", escape(body[first:last]), "</mark>"]
            start = last
    return "".join([*parts, escape(body[start:end])])
