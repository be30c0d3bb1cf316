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
    @property
    def events(self) -> "Sequence[Frame]": ...


def nobody(*_: Any) -> None:
    pass


class Hearing:
    """`last` is the last number heard, `heard` all of them with their ids where `keeps` is true.

    `let_in_by` is the frame that says where one begins. `numbered` servers number a room's messages 1, 2, 3…, so that
    any gap is wrong.
    """

    let_in_by = "welcome"

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
        if kind in ("message", "event"):
            self.read(frame)
        elif kind == "ack":
            self.on_ack(self, frame.id, frame.seq)
        elif kind == self.let_in_by:
            self.come_in(frame, frame.messages or frame.events)
        elif kind in ("error", "goodbye"):
            self.wrong.append(f"{kind} {frame.code}")

    def come_in(self, welcome: Frame, messages: Sequence[Frame]) -> None:
        if not self.epoch:
            self.last = messages[0].seq - 1 if messages else welcome.seq
        elif not welcome.recovered or welcome.epoch != self.epoch:
            self.wrong.append(f"no resume from {self.last}")
        self.epoch = welcome.epoch
        for message in messages:
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
