"""The one story, told by sockets in integration and stack, by browsers in e2e."""

from typing import Protocol

from client import Socket, enter, new_room


class Actor(Protocol):
    """Somebody who is in one room at a time."""

    async def enter(self, room: str) -> None:
        """Come in, after leaving the room before; returns when the room is there to be used."""

    async def say(self, body: str) -> None:
        """Returns when it is acknowledged and stands where everybody reads it."""

    async def hears(self, body: str) -> None:
        """Wait until it is there to be read; AssertionError when it does not come."""

    async def everything(self) -> list[str]:
        """All that this person has before her, in order: history and what came since."""


async def converse(alice: Actor, bob: Actor, carol: Actor) -> str:
    """Alice and Bob talk; Carol, in another room, hears nothing of it. Returns the room they talked in."""
    room, elsewhere = new_room("茶馆"), new_room("elsewhere")
    await alice.enter(room)
    await bob.enter(room)
    await carol.enter(elsewhere)
    said = [
        (alice, bob, "Hello, Bob!"),
        (bob, alice, "Alice, 你好！今天过得怎么样？"),
        (alice, bob, "很好，谢谢。Shall we have tea at five?"),
        (bob, alice, "五点见 🍵"),
    ]
    for speaker, listener, body in said:
        await speaker.say(body)
        await listener.hears(body)
    bodies = [body for _, _, body in said]
    assert await alice.everything() == bodies
    assert await bob.everything() == bodies

    # What Alice says in Carol's room takes the way of all her words: had one of them strayed, it came first.
    await alice.enter(elsewhere)
    await alice.say("Hello, Carol!")
    await carol.hears("Hello, Carol!")
    assert await carol.everything() == ["Hello, Carol!"]

    await alice.enter(room)
    assert await alice.everything() == bodies
    return room


class SocketActor:
    """Speaks `rooms.v1` to the server at `base`, like ws://127.0.0.1:8000."""

    def __init__(self, base: str, *, batch: bool = False) -> None:
        self.base, self.batch = base, batch
        self.socket: Socket | None = None

    async def enter(self, room: str) -> None:
        await self.leave()
        self.socket = await enter(self.base, room, batch=self.batch)

    async def say(self, body: str) -> None:
        await self._socket.say(body)
        await self._socket.hears(body)

    async def hears(self, body: str) -> None:
        await self._socket.hears(body)

    async def everything(self) -> list[str]:
        await self._socket.pong()
        return self._socket.bodies()

    async def leave(self) -> None:
        if self.socket:
            await self.socket.leave()
            self.socket = None

    @property
    def _socket(self) -> Socket:
        assert self.socket, "enter a room first"
        return self.socket
