"""What a hub asks of those who use it: of a product, which stores logs, and of a follower, which is a socket."""

from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from realtime.bundle import Bundle
from realtime.closing import Goodbye

if TYPE_CHECKING:
    from realtime.standing import Notice, Verdict


class Numbered(NamedTuple):
    """A frame of a log, encoded, with its number."""

    seq: int
    frame: str


class Changed(NamedTuple):
    """A log that has changed lately, by its key, with its epoch and last number."""

    room: str
    epoch: str
    seq: int


Read = Callable[[str, int, int], Coroutine[Any, Any, list[Numbered]]]
"""(key, after, limit) -> the log's frames after that number, in order."""


class Dialect(Protocol):
    """How some followers are told what a log's frames say: those without one get the frames as they are.

    translate(frame): the same in the dialect's words, asked once for all who speak it. A frame with a number has always
        some, as numbers have no holes in any dialect; the empty text says nothing.
    """

    def translate(self, frame: str) -> str: ...


class Follower(Protocol):
    """A socket as a feed sees it. It may follow several logs, of one product, which it names where it is not the hub's,
    as it does its dialect where it has one.

    key: of its person, whose own coming and going it is not told.
    keeps_up: nothing waits for it.
    hand(bundle): takes frames that must arrive. False: there is no room, nothing was taken; it will be caught up.
    offer(bundle): takes frames that may get lost.
    emptied(): returns when everything handed over has left. Raises TooSlow where nothing leaves for too long.
    close_with(reason): says goodbye and closes, without waiting for it.
    put_out(key, reason): it follows the log with that key no longer, and is told so. One that has no other closes.
    """

    @property
    def key(self) -> str: ...
    @property
    def keeps_up(self) -> bool: ...
    def hand(self, bundle: Bundle) -> bool: ...
    def offer(self, bundle: Bundle) -> None: ...
    async def emptied(self) -> None: ...
    def close_with(self, reason: Goodbye) -> None: ...
    def put_out(self, room: str, reason: Goodbye) -> None: ...


class Product(Protocol):
    """Whoever stores some logs and words their frames. A log's key is a text that no other product's log has.

    identity(): the installation's name, the same in all its processes and in no other one.
    read(key, after, limit): the log's frames after that number, in order, at most so many.
    changed(seconds): at least the logs that have changed in the last so many seconds. Asked every two seconds, for
        all logs together; so it must be cheap.
    notices(seconds): at least what was given notice of in the last so many seconds, each with its age. Asked as often.
    judge(followers, doubted): who of its sockets may not stay; see realtime.standing.
    rewrites(frame): whether it tells of a change of earlier ones, which read() gives in other words from then on.
    seq_frame, presence_frame: a log's last number and epoch, and who has come and gone, as its sockets are told.
    """

    async def identity(self) -> str: ...
    def read(self, room: str, after: int, limit: int) -> Coroutine[Any, Any, list[Numbered]]: ...
    async def changed(self, seconds: float) -> list[Changed]: ...
    async def notices(self, seconds: float) -> Sequence["Notice"]: ...
    async def judge(self, followers: Sequence[Follower], doubted: bool) -> "Verdict": ...
    def rewrites(self, frame: str) -> bool: ...
    def seq_frame(self, room: str, seq: int, epoch: str) -> str: ...
    def presence_frame(
        self, room: str, joined: list[dict[str, Any]], left: list[dict[str, Any]], member_count: int
    ) -> str: ...
