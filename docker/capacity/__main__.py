"""`make capacity MEMBERS=20000 ROOMS=1000 RATE=50`: what that needs, and what to set for it."""

import os
import sys
from pathlib import Path

from capacity import measured, plan
from capacity.need import Asked, TooMuch, need

BENCH = Path(__file__).parents[2] / "docs" / "bench"
USAGE = "make capacity MEMBERS=20000 ROOMS=1000 RATE=50 (people at once, their rooms, messages a second in all)"


def main() -> int:
    try:
        asked = Asked(*(number(name) for name in ("MEMBERS", "ROOMS")), rate=rate())
        server = os.environ.get("WS_SERVER", "daphne")
        cost = measured.read(BENCH, server)
    except (ValueError, KeyError):
        print(f"capacity: {USAGE}", file=sys.stderr)
        return 2
    except measured.Missing as missing:
        print(f"capacity: {missing}", file=sys.stderr)
        return 1
    try:
        needed = need(asked, cost)
    except TooMuch as sentence:
        print(f"capacity: {sentence}", file=sys.stderr)
        return 1
    print(plan.text(asked, cost, needed, server))
    return 0


def number(name: str) -> int:
    """Raises ValueError, or KeyError."""
    found = int(os.environ[name].replace("_", "").replace(",", ""))
    if found < 1:
        raise ValueError(name)
    return found


def rate() -> float:
    found = float(os.environ["RATE"])
    if not 0 < found < 1e9:
        raise ValueError("RATE")
    return found


sys.exit(main())
