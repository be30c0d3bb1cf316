"""What the model test holds to be true of topics: their logs as plain lists, and clients that check what they hear."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from django.core import signing

from topics import people
from topics.delivery.consumer import TopicsConsumer

GONE = object()  # in the place of the data that was retracted
PROTOCOLS = ("topics.v1", "topics.v1.batch")

Frame = dict[str, Any]


@dataclass
class Log:
    """A topic as it should be. `shown[seq]` is everything that the event of that number has ever been."""

    epoch: str = ""
    pruned: int = 0
    ids: list[str] = field(default_factory=list)  # whose place is their number less one
    shown: dict[int, list[Any]] = field(default_factory=dict)
    changes: dict[int, int] = field(default_factory=dict)  # which number each change is about

    @property
    def seq(self) -> int:
        return len(self.ids)

    def append(self, id: str, data: Any) -> int:
        self.ids.append(id)
        self.shown[self.seq] = [data]
        return self.seq

    def change(self, about: int, data: Any) -> int:
        self.ids.append("")
        self.changes[self.seq] = about
        self.shown[about].append(data)
        return self.seq

    def can_be_changed(self) -> list[int]:
        return [seq for seq, data in self.shown.items() if seq > self.pruned and data[-1] is not GONE]

    def can_resume(self, since: int | None, epoch: str | None, farthest: int) -> bool:
        """Whether all that came after that number can be told."""
        if since is None or not self.pruned <= since <= self.seq or self.seq - since > farthest:
            return False
        return epoch == self.epoch or (since, epoch) == (0, "")


@dataclass
class Copy:
    """What a client has of a topic: what it knew at first, and all that it was told since."""

    first: int  # the number from which on it has everything
    last: int
    epoch: str
    data: dict[int, Any] = field(default_factory=dict)
    wish: tuple[int | None, str | None] = (None, None)
    following: bool = False
    missed: bool = False  # something that is not kept any more: it has to join again


class Client:
    """Somebody with one socket at a time, who asserts that nothing comes twice, too early or never."""

    def __init__(self, name: str, number: int, logs: dict[str, Log], farthest: int) -> None:
        self.name, self.number = name, number
        self.logs, self.farthest = logs, farthest
        self.copies: dict[str, Copy] = {}
        self.acked: dict[str, int | None] = {}
        self.socket: asyncio.Task[None] | None = None
        self.reads = asyncio.Event()
        self.reads.set()
        self.complaints: list[str] = []

    # --- What it does ------------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        return self.socket is not None

    @property
    def listens(self) -> bool:
        return self.connected and self.reads.is_set()

    def dial(self) -> None:
        """A socket, on which it joins again what it had joined, from where it is."""
        scope = {
            "type": "websocket",
            "headers": [(b"cookie", f"guest={signing.dumps([self.name] * 2, salt=people.SALT)}".encode())],
            "query_string": b"",
            "subprotocols": [PROTOCOLS[self.number % 2]],
        }
        self.inbox: asyncio.Queue[Frame] = asyncio.Queue()
        self.inbox.put_nowait({"type": "websocket.connect"})
        self.socket = asyncio.create_task(TopicsConsumer.as_asgi()(scope, self.inbox.get, self._reader()))
        for topic, copy in self.copies.items():
            self.join(topic, since=copy.last, epoch=copy.epoch)

    def join(self, topic: str, **position: Any) -> None:
        copy = self.copies.setdefault(topic, Copy(0, 0, ""))
        copy.wish, copy.following, copy.missed = (position.get("since"), position.get("epoch")), False, False
        self.says(type="join", topic=topic, **position)

    def join_again_where_something_was_missed(self) -> None:
        for topic, copy in self.copies.items():
            if copy.missed and self.listens:
                self.join(topic, since=copy.last, epoch=copy.epoch)

    def says(self, **frame: Any) -> None:
        self.inbox.put_nowait({"type": "websocket.receive", "text": json.dumps(frame)})

    def cut(self) -> None:
        """What is under way to it is lost."""
        self.inbox.put_nowait({"type": "websocket.disconnect", "code": 1006})
        self.reads.set()
        self.socket = None
        for copy in self.copies.values():
            copy.following = False

    # --- What it hears -----------------------------------------------------------------------------------

    def _reader(self) -> Any:
        inbox = self.inbox

        async def send(event: Frame) -> None:
            await self.reads.wait()
            if self.inbox is not inbox or not self.connected:
                return
            if event["type"] == "websocket.close":
                self.cut()
            elif event["type"] == "websocket.send":
                decoded = json.loads(event["text"])
                for frame in decoded if isinstance(decoded, list) else [decoded]:
                    self._hear(frame)

        return send

    def _hear(self, frame: Frame) -> None:
        copy = self.copies.get(frame.get("topic", ""))
        match frame["type"]:
            case "ack":
                self.acked[frame["id"]] = frame["seq"]
            case "joined" if copy:
                self._joined(copy, frame)
            case "joined" | "event" | "change" | "seq" if copy is None or not copy.following:
                self.complaints.append(f"{self.name} does not follow what {frame} is of")
            case "event" | "change" | "seq" if copy.missed:
                pass
            case "event" | "change" if copy.last < frame["seq"] - 1 <= self.logs[frame["topic"]].pruned:
                copy.missed = True
            case "event" | "change":
                self._read(copy, frame)
            case "seq" if frame["seq"] > copy.last:
                self.complaints.append(f"{self.name} has {copy.last}, and is told that there is {frame}")
            case "error":
                self.complaints.append(f"{self.name} is told {frame}")

    def _joined(self, copy: Copy, frame: Frame) -> None:
        log, (since, epoch) = self.logs[frame["topic"]], copy.wish
        # A process that remembers all since then, or has not heard yet how far the log has come, need not ask the log.
        beyond = since is not None and (since < log.pruned or log.seq - since > self.farthest)
        remembered = frame["recovered"] and epoch == log.epoch and beyond
        if not remembered and frame["recovered"] != log.can_resume(since, epoch, self.farthest):
            self.complaints.append(f"{self.name} returns with {copy.wish} to {log}, and is told {frame}")
        if not frame["recovered"]:
            copy.first = copy.last = frame["seq"] - len(frame["events"])
            copy.data.clear()
        copy.epoch, copy.following = frame["epoch"], True
        for event in frame["events"]:
            self._read(copy, event)

    def _read(self, copy: Copy, frame: Frame) -> None:
        if frame["seq"] != copy.last + 1:
            self.complaints.append(f"{self.name} has {copy.last}, and is told {frame}")
        copy.last, copy.epoch = frame["seq"], frame.get("epoch", copy.epoch)
        data, about = GONE if "retracted" in frame else frame["data"], frame.get("about", frame["seq"])
        log = self.logs[frame["topic"]]
        if log.changes.get(frame["seq"], frame["seq"]) != about:
            self.complaints.append(f"{self.name} is told of a change of another event: {frame}")
        if about > log.pruned and data not in log.shown.get(about, ()):
            self.complaints.append(f"{self.name} is told what {about} has never been: {frame}")
        if about > copy.first:
            copy.data[about] = data

    def has_everything(self, topic: str) -> bool:
        """What is not kept any more is nobody's to have."""
        copy, log = self.copies[topic], self.logs[topic]
        known = [seq for seq in log.shown if seq > max(copy.first, log.pruned)]
        return max(copy.last, log.pruned) == log.seq and all(copy.data.get(seq) == log.shown[seq][-1] for seq in known)
