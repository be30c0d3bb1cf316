"""Frames as a person of the load sees them."""

from types import SimpleNamespace
from typing import Any

NOTHING = {"seq": 0, "id": "", "epoch": "", "recovered": False, "code": "", "messages": [], "events": []}


def frame(type: str, **fields: Any) -> Any:
    return SimpleNamespace(**NOTHING | {"type": type} | fields)


def welcome(*messages: Any, seq: int = 0, epoch: str = "e", recovered: bool = False) -> Any:
    return frame("welcome", seq=seq, epoch=epoch, recovered=recovered, messages=list(messages))


def message(seq: int, id: str = "") -> Any:
    return frame("message", seq=seq, id=id or f"m{seq}")
