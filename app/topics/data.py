"""What an event may carry: JSON that every client can be sent, in one frame."""

import re
from typing import Any, Final

from django.core.serializers.json import DjangoJSONEncoder

from realtime.limits import MAX_FRAME_BYTES
from topics.errors import BadData
from topics.wording import encode_text, is_utf_8

ENVELOPE_BYTES: Final = 4_096  # of a frame, for everything but the data: names, ids, the author
MAX_DATA_BYTES: Final = MAX_FRAME_BYTES - ENVELOPE_BYTES
SIGNAL_BYTES: Final = 4_096  # of a signal's data
NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
WIDEST: Final = 4  # bytes of a character in UTF-8

_encode_anything = DjangoJSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def _encode(data: Any) -> str:
    """One text with a name, as most of what people say is, takes a third of the time that anything else does."""
    if type(data) is dict and len(data) == 1:
        [(name, text)] = data.items()
        if type(name) is str and type(text) is str:
            return f"{{{encode_text(name)}:{encode_text(text)}}}"
    return _encode_anything(data)


class TooLong(BadData):
    """More than a signal may carry."""


def encoded(data: Any) -> str:
    """The data as the compact JSON text that is stored and sent. Raises BadData with a sentence.

    Takes what JSON has, and of Python dates, times, Decimal and UUID, which become strings.
    """
    try:
        text = _encode(data)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadData(f"An event's data must be JSON: {error}.") from None
    if "\\u0000" in text and NUL.search(text):
        raise BadData("An event's data must not contain the character NUL.")
    if not is_utf_8(text):
        raise BadData("An event's data must not contain half of a surrogate pair.")
    if len(text) * WIDEST > MAX_DATA_BYTES and (size := len(text.encode())) > MAX_DATA_BYTES:
        raise BadData(f"An event's data has {MAX_DATA_BYTES} bytes at most as JSON, not {size}.")
    return text


def encoded_signal(data: Any) -> str:
    """The same for a signal. Raises TooLong, too."""
    text = encoded(data)
    if (size := len(text.encode())) > SIGNAL_BYTES:
        raise TooLong(f"A signal's data has {SIGNAL_BYTES} bytes at most as JSON, not {size}.")
    return text
