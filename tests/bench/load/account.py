"""Who has heard what: every message exactly once, in the order that is promised.

Counting must cost next to nothing while frames come by the hundred thousand a second: a frame's bytes are looked
up among those already seen, since a fan-out sends the same to many, and only new ones are searched for numbers.
What a socket has heard is a list of such frames, which is gone through when all is over.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from bench.load.talk import NUMBER_DIGITS, Order

_NUMBERS = re.compile(rb"@(\d{%d})" % NUMBER_DIGITS)

Numbers = tuple[int, ...]


class Known(dict[bytes, Numbers]):
    """Payload → the numbers of the messages in it; none for frames that are no messages."""

    def __missing__(self, payload: bytes) -> Numbers:
        numbers = tuple(map(int, _NUMBERS.findall(payload)))
        if numbers:
            self[payload] = numbers
        return numbers


class Account:
    """What was said where and by whom, against which the sockets' lists are held."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.said_in: dict[int, list[int]] = {}  # room → numbers, ascending
        self.sender_of: dict[int, int] = {}

    def said(self, number: int, room: int, sender: int) -> None:
        self.said_in.setdefault(room, []).append(number)
        self.sender_of[number] = sender

    def fault(self, heard: Iterable[tuple[int, Sequence[Numbers]]]) -> str:
        """What is wrong with what (room, frames) of every socket together; empty when nothing is."""
        faults = Faults()
        good: dict[int, set[Numbers]] = {}  # sequences already found right, of each room
        for room, frames in heard:
            flat = tuple(chain.from_iterable(frames))
            right = good.setdefault(room, set())
            if flat in right or not self._is_right(flat, room, faults):
                continue
            if right and self.order == "total":
                faults.swapped += 1
            else:
                right.add(flat)
        return str(faults)

    def _is_right(self, flat: Numbers, room: int, faults: "Faults") -> bool:
        expected = self.said_in.get(room, [])
        if sorted(flat) != expected:
            faults.missing += len(set(expected).difference(flat))
            faults.doubled += len(flat) - len(set(flat))
            faults.foreign += len(set(flat).difference(expected))
            return False
        if self.order != "none" and not in_order(flat, self.sender_of):
            faults.swapped += 1
            return False
        return True


class Faults:
    missing = doubled = swapped = foreign = 0

    def __str__(self) -> str:
        """As in "3 missing, 1 doubled"."""
        return ", ".join(
            f"{count} {kind}" for kind in ("missing", "doubled", "swapped", "foreign") if (count := getattr(self, kind))
        )


def in_order(numbers: Numbers, sender_of: Mapping[int, int]) -> bool:
    """Does what each sender said come in the order in which it was said?"""
    last: dict[int, int] = {}
    for number in numbers:
        sender = sender_of[number]
        if last.get(sender, -1) > number:
            return False
        last[sender] = number
    return True
