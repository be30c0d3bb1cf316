"""Why a socket is closed on purpose: the close code, the word for it, and whether the client comes back.

Codes 44xx are final. After any other the client returns, `after_ms` later where that is given.
"""

import json
from typing import NamedTuple


class Goodbye(NamedTuple):
    """`detail`: a sentence for people, where there is one."""

    code: int
    reason: str
    after_ms: int | None = None
    detail: str = ""

    def frame(self) -> str:
        """The last words, in whichever protocol."""
        words = {"type": "goodbye", "reason": self.reason, "after_ms": self.after_ms or 0}
        if self.detail:
            words["detail"] = self.detail
        return json.dumps(words, separators=(",", ":"), ensure_ascii=False)


BAD_FRAMES = Goodbye(4400, "bad_frames")
LOGIN = Goodbye(4401, "login_required")
FORBIDDEN = Goodbye(4403, "forbidden")
DISCONNECTED = Goodbye(4410, "disconnected")
NO_SUCH_ROOM = Goodbye(4404, "no_such_room")
DELETED = Goodbye(4404, "deleted")  # the log that somebody follows
RESTART = Goodbye(4501, "restart", 500)
TOO_SLOW = Goodbye(4508, "too_slow", 500)
TOO_MANY = Goodbye(4529, "too_many_sockets", 10_000)
TOO_OFTEN = Goodbye(4529, "too_many_replays", 10_000)
TOO_FAST = Goodbye(4529, "too_fast")
UNAVAILABLE = Goodbye(4529, "unavailable", 2_000)

NO_CODE = 1005  # the peer has said none
OURS = {goodbye.code for goodbye in tuple(globals().values()) if isinstance(goodbye, Goodbye)}
OF_THE_RFC = {1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014}


def known(code: int) -> str:
    """For a count: clients choose among thousands of codes."""
    return str(code) if code in OURS or code in OF_THE_RFC else "other"
