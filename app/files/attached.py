"""Files as an event's data has them: what is asked for, and what is shown of them."""

import re
from typing import Any, Final, NamedTuple

ID: Final = re.compile(r"[0-9a-f]{32}")
BOX: Final = 320  # pixels that a preview has at most on the page, each way; static/rooms/files.js has as many


class Attached(NamedTuple):
    id: str
    name: str
    type: str
    size: int
    width: int = 0
    height: int = 0

    @property
    def box(self) -> tuple[int, int]:
        """What a preview takes of the page, known before it is there."""
        scale = min(1.0, BOX / self.width, BOX / self.height)
        return max(1, round(self.width * scale)), max(1, round(self.height * scale))


def are_ids(given: Any, most: int) -> bool:
    return (
        isinstance(given, list)
        and 0 < len(given) <= most
        and all(isinstance(one, str) and ID.fullmatch(one) for one in given)
    )


def attached(data: Any) -> tuple[Attached, ...]:
    """Those in an event's data; none where a program has put something else there."""
    try:
        return tuple(one_of(one) for one in data["files"])
    except (KeyError, TypeError, ValueError):
        return ()


def one_of(one: dict[str, Any]) -> Attached:
    if not ID.fullmatch(one["id"]):
        raise ValueError
    size = int(one["size"]), int(one.get("width") or 0), int(one.get("height") or 0)
    return Attached(one["id"], str(one["name"]), str(one["type"]), *size)
