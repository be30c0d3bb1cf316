"""A person's mark and colour: drawn from the key, so that two people of one name are not taken for each other.

`static/rooms/marks.js` draws the same.
"""

from functools import lru_cache
from typing import Final, NamedTuple

SIDE: Final = 5  # cells; the right half mirrors the left one
DIGITS: Final = 5  # of the key: four bits for the colour, fifteen for the cells


class Mark(NamedTuple):
    hue: int
    """0 to 15: a class of the style sheet, as the content security policy lets no element have a style of its own."""
    path: str


@lru_cache(maxsize=4_096)
def mark_of(key: str) -> Mark:
    """Nobody, whose key is empty, has an empty mark."""
    bits = int(key[:DIGITS] or "0", 16)
    cells = bits >> 4
    return Mark(bits & 15, "".join(row(y, cells >> 3 * y & 7) for y in range(SIDE)))


def row(y: int, bits: int) -> str:
    """`bits` are the left column, the next one and the middle."""
    shown = [bool(bits >> x & 1) for x in (0, 1, 2, 1, 0)]
    return "".join(f"M{x} {y}h1v1h-1z" for x in range(SIDE) if shown[x])
