"""What a body looks like on a page: links, and code between back-ticks. `static/rooms/markup.js` does the same.

Every character stays where it was, back-ticks too: what is copied from the page, or edited there, is what was said.
"""

import re
from collections.abc import Iterator
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
TAG: Final = '<a href="{0}" target="_blank" rel="noopener noreferrer nofollow ugc">{0}</a>'


def markup(body: str) -> SafeString:
    return mark_safe("".join(pieces(body)))


def pieces(body: str) -> Iterator[str]:
    end = 0
    for part in PARTS.finditer(body):
        yield escape(body[end : part.start()])
        yield shown(str(part.lastgroup), escape(part[0]))
        end = part.end()
    yield escape(body[end:])


def shown(kind: str, text: str) -> str:
    if kind == "link":
        return TAG.format(text)
    return f'<code class="block">{text}</code>' if kind == "block" else f"<code>{text}</code>"
