"""One socket, with any number of topics."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final

from topics.client.dialing import address_of, headers_of
from topics.client.errors import ClientError, Closed, Refused
from topics.client.events import Ack, Frame, ack_of
from topics.client.joined import LEFT, JoinedTopic
from topics.client.lasting import Lasting, encode, logger

SENT_AGAIN: Final = {"rate_limited", "unavailable"}  # errors after which the same is sent again
LONGEST_PAUSE: Final = 30.0  # seconds, unless said otherwise
MAX_ID: Final = 64


class Socket(Lasting):
    """What `connect` gives. `you` is who the server takes one for, `limits` what it says of sizes and numbers."""

    def __init__(self, url: str, headers: Mapping[str, str], **options: Any) -> None:
        super().__init__(url, headers, **options)
        self._topics: dict[str, JoinedTopic] = {}
        self._unacked: dict[tuple[str, str], str] = {}  # frames, by topic and id
        self._answers: dict[tuple[str, str], asyncio.Future[Frame]] = {}
        self._reading: dict[str, tuple[int, asyncio.Future[Frame]]] = {}  # by topic, with the highest number

    # --- Topics --------------------------------------------------------------------------------------

    async def join(self, topic: str, *, since: int | None = None, epoch: str | None = None) -> JoinedTopic:
        """Follows a topic from that position on, or from its latest events on. Raises Refused, Closed.

        `since` and `epoch` are the last event's, both or neither.
        """
        if (since is None) != (epoch is None):
            raise ValueError("since and epoch belong together: give both, of the last event, or neither.")
        if topic in self._topics:
            raise ValueError(f"This socket has joined {topic} already.")
        self._check()
        joined = self._topics[topic] = JoinedTopic(self, topic, since, epoch)
        try:
            await self._ask_for(joined)
            await joined.arrived()
        except BaseException:
            self._topics.pop(topic, None)
            raise
        return joined

    async def leave(self, topic: str) -> None:
        if joined := self._topics.pop(topic, None):
            joined.end(LEFT)
            await self._post({"type": "leave", "topic": topic})

    # --- Sending -------------------------------------------------------------------------------------

    async def send(self, topic: str, data: Any, *, id: str | None = None) -> Ack:
        """Returns when it is stored for good. The topic need not be joined. Raises Refused, Closed, ValueError.

        Until it is acknowledged it is sent again under the same id, over every connection, and when the server asked
        to wait. `asyncio.timeout` bounds that; whether it was stored is not known then, and the same id finds out.
        """
        id = secrets.token_hex(12) if id is None else id
        if not 0 < len(id) <= MAX_ID:
            raise ValueError(f"An id has 1 to {MAX_ID} characters.")
        key = topic, id
        if key in self._unacked:
            raise ValueError(f"{id!r} is on its way to {topic} already.")
        frame = {"type": "send", "topic": topic, "id": id, "data": self._fitting(data, "data_bytes")}
        self._check()
        self._unacked[key] = encode(frame)
        try:
            while True:
                answer = self._answers[key] = asyncio.get_running_loop().create_future()
                await self._post(frame)
                answered = await answer
                if answered["type"] == "ack":
                    return ack_of(answered)
                if answered["code"] not in SENT_AGAIN:
                    raise refusal(answered)
                await asyncio.sleep(answered.get("retry_after_ms", 1_000) / 1_000)
                self._check()
        finally:
            del self._unacked[key]
            self._answers.pop(key, None)

    async def signal(self, topic: str, data: Any) -> None:
        """Tells whoever follows just now, but not oneself. May get lost."""
        frame = {"type": "signal", "topic": topic, "data": self._fitting(data, "signal_bytes")}
        self._check()
        await self._post(frame)

    async def cancel(self, topic: str, seq: int) -> None:
        """Stops the event of that number, which grows. The answer is its change, where it did not end before."""
        self._check()
        await self._post({"type": "cancel", "topic": topic, "seq": seq})

    async def read(self, topic: str, seq: int) -> int:
        """Everything in the joined topic up to that number has been read. Returns how much is unread by now."""
        self._check()
        before, answer = self._reading.get(topic) or (0, asyncio.get_running_loop().create_future())
        self._reading[topic] = max(before, seq), answer
        await self._post({"type": "read", "topic": topic, "seq": seq})
        answered = await asyncio.shield(answer)
        if answered["type"] == "error":
            raise refusal(answered)
        return int(answered["unread"])

    def _fitting(self, data: Any, limit: str) -> Any:
        """A frame that is too long would cost the connection, again and again. Raises Refused, and json's errors."""
        size, most = len(encode(data).encode()), self.limits[limit]
        if size > most:
            raise Refused("too_long", f"The data has {size} bytes as JSON, and {most} are the most.")
        return data

    def _check(self) -> None:
        if self._end is not None:
            raise self._end

    # --- Coming back, and the end ---------------------------------------------------------------------

    async def _resume(self) -> None:
        """Joins every topic from where it was, and sends again what is not acknowledged."""
        for joined in list(self._topics.values()):
            await self._write_join(joined)
        for key, text in list(self._unacked.items()):
            if key in self._unacked:
                await self._write(text)

    async def _ask_for(self, joined: JoinedTopic) -> None:
        async with self._order:
            await self._write_join(joined)

    async def _write_join(self, joined: JoinedTopic) -> None:
        """Once a connection, unless it has to be asked again."""
        if joined.asked_over is not self._connection:
            joined.asked_over = self._connection
            await self._write(encode(joined.join_frame()))

    def ask_again_for(self, joined: JoinedTopic) -> None:
        """For what is called by the reader, which must not wait until something is sent."""
        joined.asked_over = None
        self._start(self._ask_for(joined))

    def _finish(self, reason: ClientError) -> None:
        super()._finish(reason)
        for answer in [*self._answers.values(), *(answer for _, answer in self._reading.values())]:
            if not answer.done():
                answer.set_exception(Closed(reason.code, reason.detail))
                answer.exception()
        for joined in self._topics.values():
            joined.end(reason)
        self._topics.clear()

    # --- Hearing -------------------------------------------------------------------------------------

    def _hear(self, frame: Frame) -> None:
        kind, topic, id = frame["type"], frame.get("topic", ""), frame.get("id")
        if kind == "ack" or (kind == "error" and id is not None):
            settle(self._answers.get((topic, id or "")), frame)
        elif joined := self._topics.get(topic):
            joined.hear(frame)
            if joined.has_ended:
                del self._topics[topic]
            self._hear_of_reading(frame)
        elif kind == "error":
            logger.warning("%s: %s", frame["code"], frame["detail"])

    def _hear_of_reading(self, frame: Frame) -> None:
        kind, topic = frame["type"], frame["topic"]
        if topic not in self._reading:
            return
        seq, answer = self._reading[topic]
        if kind == "joined":  # over a new connection, perhaps
            self._start(self._post({"type": "read", "topic": topic, "seq": seq}))
        elif kind in {"unread", "error"}:
            del self._reading[topic]
            settle(answer, frame)


def connect(
    url: str,
    *,
    token: str | None = None,
    cookies: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    silence: float | None = None,
    longest_pause: float = LONGEST_PAUSE,
    on_state: Callable[[str], None] = lambda state: None,
    **options: Any,
) -> Socket:
    """`async with connect("wss://rooms.example.org/ws/", token="…") as socket:` One socket for any number of topics.

    token: sent as `Authorization: Bearer`. cookies: `sessionid`, for example. headers: others of the handshake.
    silence: seconds without a word after which the server is asked, and after twice as many given up; its own
    `ping_seconds` unless given. longest_pause: seconds between two dials at most. on_state("online" or "offline").
    Further options are those of `websockets.asyncio.client.connect`: `ssl`, `proxy`, …
    """
    return Socket(
        address_of(url),
        headers_of(token, cookies, headers),
        silence=silence,
        longest_pause=longest_pause,
        on_state=on_state,
        options=options,
    )


def refusal(frame: Frame) -> Refused:
    after = frame.get("retry_after_ms")
    return Refused(frame["code"], frame["detail"], None if after is None else after / 1_000)


def settle(answer: asyncio.Future[Frame] | None, frame: Frame) -> None:
    if answer is not None and not answer.done():
        answer.set_result(frame)
