"""What somebody has heard in one room, and whatever a server must not do."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol


class Frame(Protocol):
    """What is looked at of a server's frame; what it does not have is empty."""

    type: str
    seq: int
    id: str
    epoch: str
    recovered: bool
    code: str

    @property
    def messages(self) -> "Sequence[Frame]": ...


def nobody(*_: Any) -> None:
    pass


class Hearing:
    """`last` is the last number heard, `heard` all of them with their ids where `keeps` is true.

    `numbered` servers number a room's messages 1, 2, 3…, so that any gap is wrong.
    """

    def __init__(self, room: str, *, keeps: bool = False, numbered: bool = True) -> None:
        self.room, self.keeps, self.numbered = room, keeps, numbered
        self.last = self.count = 0
        self.epoch = ""
        self.heard: list[tuple[int, str]] = []
        self.wrong: list[str] = []
        self.on_ack: Callable[[Any, str, int], None] = nobody
        self.on_message: Callable[[Any, str], None] = nobody
        self.on_welcome: Callable[[], None] = nobody

    def hear(self, frame: Frame) -> None:
        kind = frame.type
        if kind == "message":
            self.read(frame)
        elif kind == "ack":
            self.on_ack(self, frame.id, frame.seq)
        elif kind == "welcome":
            self.come_in(frame)
        elif kind in ("error", "goodbye"):
            self.wrong.append(f"{kind} {frame.code}")

    def come_in(self, welcome: Frame) -> None:
        if not self.epoch:
            self.last = welcome.messages[0].seq - 1 if welcome.messages else welcome.seq
        elif not welcome.recovered or welcome.epoch != self.epoch:
            self.wrong.append(f"no resume from {self.last}")
        self.epoch = welcome.epoch
        for message in welcome.messages:
            self.read(message)
        self.on_welcome()

    def read(self, message: Frame) -> None:
        if self.numbered and message.seq != self.last + 1:
            self.wrong.append(f"{message.seq} came after {self.last}")
        self.last = message.seq
        self.count += 1
        if self.keeps:
            self.heard.append((message.seq, message.id))
        self.on_message(self, message.id)
