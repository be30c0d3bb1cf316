"""How one talks to a contender, in words that fit into JSON."""

from dataclasses import dataclass
from typing import Literal

BODY_BYTES = 80
NUMBER_DIGITS = 10
PADDING = " the quick brown fox jumps over the lazy dog, and nobody at all is any the wiser"

Order = Literal["total", "sender", "none"]


@dataclass(frozen=True)
class Talk:
    """`url` may have {room}; `say` has {body} and may have {number} and {room}.

    A socket has joined once it has heard `joined`, or at the handshake where that is empty. `answers` are sent
    where a frame begins with the first of the pair, and may have {room}, too. `order` is what the contender
    promises: the same for everybody, that of each sender, or none.
    """

    url: str
    say: str = "{body}"
    subprotocol: str = ""
    joined: str = ""
    answers: tuple[tuple[str, str], ...] = ()
    order: Order = "sender"


def body(number: int) -> str:
    """80 bytes of ASCII that need no escaping, with a number found by its mark."""
    return f"@{number:0{NUMBER_DIGITS}d}{PADDING}"[:BODY_BYTES]
