"""The texts of a topic's events that grow, put together from the pieces that the server sends."""

import asyncio
from collections.abc import Callable
from typing import Final

from topics.client.events import Frame, More

STORED_SECONDS: Final = 0.5  # in which the server stores what it has sent of an event that grows


class Growing:
    """`join_again` has the server send what is stored: a text in which something is missing is whole after it."""

    def __init__(self, join_again: Callable[[], None]) -> None:
        self._join_again = join_again
        self._texts: dict[int, str] = {}  # so far, by number of the event
        self._missing: asyncio.TimerHandle | None = None  # until what is missing is stored, and asked for

    def follow(self, frame: Frame) -> None:
        """An `event` may begin to grow, a `change` is the end of that."""
        data = frame.get("data")
        if frame["type"] == "change":
            self._texts.pop(frame["about"], None)
        elif isinstance(data, dict) and data.get("status") == "growing":
            self._texts[frame["seq"]] = str(data.get("text", ""))

    def more(self, frame: Frame) -> More | None:
        """The text with this piece. None: the piece adds nothing (some come twice), or one before it is missing."""
        seq = frame["seq"]
        had = self._texts.get(seq, "")
        text = grown(had, frame)
        if text is None:
            self._missing = self._missing or asyncio.get_running_loop().call_later(STORED_SECONDS, self._join_again)
        elif text != had:
            self._texts[seq] = text
            return More(seq, text)
        return None

    def lacks_nothing(self) -> None:
        """What was missing has come, or is not wanted any more."""
        if self._missing is not None:
            self._missing.cancel()
            self._missing = None

    def forget(self) -> None:
        self._texts.clear()


def grown(had: str, frame: Frame) -> str | None:
    """The text with what a `more` adds to it, whose offset is in UTF-16. None: something in between is missing."""
    units, added, at = had.encode("utf-16-le"), frame["text"].encode("utf-16-le"), 2 * frame["at"]
    if at > len(units):
        return None
    return (units[:at] + added).decode("utf-16-le") if at + len(added) > len(units) else had
