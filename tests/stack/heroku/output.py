"""What a release phase says while it runs."""

import threading
from collections.abc import Iterator


class Output:
    """Any number of readers, whenever they come, get all of it, each piece as soon as it is there."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._over = False
        self._news = threading.Condition()

    def write(self, piece: str) -> None:
        with self._news:
            self._pieces.append(piece)
            self._news.notify_all()

    def end(self) -> None:
        with self._news:
            self._over = True
            self._news.notify_all()

    def __iter__(self) -> Iterator[str]:
        """Waits for the next piece until the end."""
        number = 0
        while True:
            with self._news:
                self._news.wait_for(lambda seen=number: self._over or len(self._pieces) > seen)
                if number == len(self._pieces):
                    return
                piece = self._pieces[number]
            number += 1
            yield piece

    def __str__(self) -> str:
        return "".join(self._pieces)
