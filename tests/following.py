"""A socket that follows one topic of the tests' own app, and remembers every frame."""

from collections.abc import Mapping

from websockets.asyncio.client import ClientConnection

from client import SECONDS, Frame, Socket, dial, new_id


def new_topic(name: str = "topic") -> str:
    """One in which guests may vote, and no other test does."""
    return f"votes/open-{name}-{new_id()}"


class Following(Socket):
    def __init__(self, connection: ClientConnection, topic: str) -> None:
        super().__init__(connection)
        self.topic = topic

    @property
    def joined(self) -> Frame:
        return next(frame for frame in self.frames if frame["type"] == "joined")

    async def votes(self, id: str) -> Frame:
        """Its ack."""
        await self.send({"type": "send", "topic": self.topic, "id": id, "data": {"option": "pizza"}})
        return await self.until(lambda frame: frame["type"] == "ack" and frame["id"] == id, f"the ack of {id!r}")

    async def hears_of(self, id: str, seconds: float = SECONDS) -> Frame:
        return await self.until(lambda frame: id in ids_in(frame), f"event {id!r}", seconds)

    def ids(self) -> list[str]:
        """Of all events in the order of hearing: first those of `joined`, then the live ones."""
        return [id for frame in self.frames for id in ids_in(frame)]

    def numbers(self) -> list[int]:
        """Of all events and changes."""
        return [entry["seq"] for frame in self.frames for entry in entries_in(frame)]


def entries_in(frame: Frame) -> list[Frame]:
    match frame["type"]:
        case "joined":
            return list(frame["events"])
        case "event" | "change":
            return [frame]
    return []


def ids_in(frame: Frame) -> list[str]:
    return [entry["id"] for entry in entries_in(frame) if entry["type"] == "event"]


async def follow(
    base: str, topic: str, *, batch: bool = False, headers: Mapping[str, str] | None = None, **position: object
) -> Following:
    """Waits until it has joined. `base` is like ws://127.0.0.1:8000, `position` is `since` and `epoch`."""
    protocol = "topics.v1.batch" if batch else "topics.v1"
    socket = Following(await dial(f"{base}/ws/", subprotocols=[protocol], headers=headers), topic)
    await socket.send({"type": "join", "topic": topic, **position})
    await socket.of_type("joined")
    return socket
