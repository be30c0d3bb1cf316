"""What this process writes of one event, and how much of it is stored and told."""

import threading
from typing import Final, NamedTuple

from topics.data import MAX_DATA_BYTES
from topics.delivery import frames
from topics.errors import BadData
from topics.growing import grown
from topics.wording import encode

OVERLAP: Final = 4_096  # characters that are told again to whoever has just read the database, at most


class Place(NamedTuple):
    """In a text: in characters, and in UTF-16 units, in which clients count."""

    characters: int = 0
    units: int = 0

    def end_of(self, text: str) -> "Place":
        added = text[self.characters :]
        units = len(added) if added.isascii() else len(added.encode("utf-16-le")) // 2
        return Place(len(text), self.units + units)


class Told:
    """Up to where some followers were told a text, and what was stored then, and before."""

    __slots__ = ("place", "read", "stored")

    def __init__(self) -> None:
        self.place = self.stored = self.read = Place()


class Growth:
    """What is written of one event. The writer adds to `text`; the keeper stores it, the hub's loop tells it.

    `status` is empty until it has ended.
    """

    def __init__(self, topic: str, seq: int, entry: int, rest: str) -> None:
        self.topic, self.seq, self.entry = topic, seq, entry
        self.text = ""
        self.status = ""
        self.quiet = False
        self.ending = threading.Lock()
        self._rest = rest  # of its data, encoded
        self._bytes = len(self.data(grown.CANCELLED).encode())
        self._heard_at = 0.0
        self._stored = self._stored_before = Place()
        self._here, self._elsewhere = Told(), Told()

    def write(self, text: str) -> None:
        """Raises BadData with a sentence."""
        if not isinstance(text, str):
            raise TypeError(f"What is written is text, not {text!r}.")
        if self.status:
            return
        if "\x00" in text:
            raise BadData("What is written must not contain the character NUL.")
        try:
            size = self._bytes + len(encode(text).encode()) - len('""')
        except UnicodeEncodeError:
            raise BadData("What is written must not contain half of a surrogate pair.") from None
        if size > MAX_DATA_BYTES:
            raise BadData(f"An event has {MAX_DATA_BYTES} bytes at most as JSON: begin another one for the rest.")
        self._bytes = size
        self.text += text

    def data(self, status: str) -> str:
        return self._data(self.text, status)

    def _data(self, text: str, status: str) -> str:
        return f'{{"text":{encode(text)},"status":"{status}"{self._rest}}}'

    # --- Storing -------------------------------------------------------------------------------------

    def is_due(self, now: float, seconds: float) -> bool:
        """Whether there is something new, or the last sign of life is so old."""
        return len(self.text) > self._stored.characters or now - self._heard_at >= seconds

    def data_if_new(self, text: str) -> str | None:
        return self._data(text, grown.GROWS) if len(text) > self._stored.characters else None

    def was_stored(self, text: str, now: float) -> None:
        self._heard_at = now
        self._stored_before, self._stored = self._stored, self._stored.end_of(text)

    # --- Telling -------------------------------------------------------------------------------------

    def more_here(self) -> str | None:
        """The frame for this process's sockets."""
        return self._more(self._here)

    def pass_over_here(self) -> None:
        """Nobody is there: who comes later reads the database first."""
        if self._has_more(self._here):
            self._advance(self._here)

    def more_elsewhere(self) -> str | None:
        """The one for all others', who are told when the layer can take it."""
        return self._more(self._elsewhere)

    @property
    def has_more_elsewhere(self) -> bool:
        return self._has_more(self._elsewhere)

    def _has_more(self, told: Told) -> bool:
        return not self.quiet and (len(self.text) > told.place.characters or self._stored != told.stored)

    def _more(self, told: Told) -> str | None:
        """The frame with what was added, and what somebody lacks who has read the event since the last one.

        Whoever did, has what was stored then, or before: so there is one more frame when the last words are stored.
        """
        if not self._has_more(told):
            return None
        start, text = self._advance(told)
        return frames.more(self.topic, self.seq, start.units, text[start.characters :])

    def _advance(self, told: Told) -> tuple[Place, str]:
        """From where on it is to be told, and the text."""
        text, stored = self.text, self._stored
        start = min(told.place, told.read)
        if len(text) - start.characters > OVERLAP:
            start = told.place
        told.place = told.place.end_of(text)
        told.stored, told.read = stored, self._stored_before
        return start, text
