"""ws/echo/ returns what it gets."""

from typing import Any

from realtime import drain
from realtime.closing import RESTART
from realtime.echo import echo_socket
from unit.realtime.asgi import Client, everybody_has_acted


async def test_every_frame_comes_back_as_it_was() -> None:
    alice = Client("/ws/echo/")
    frames: list[dict[str, Any]] = [{"text": "hello"}, {"text": ""}, {"bytes": b""}, {"bytes": b"\0", "text": None}]
    for frame in frames:
        alice.says(**frame)
    alice.leaves()
    await alice.meets(echo_socket)
    assert alice.heard[0] == {"type": "websocket.accept", "subprotocol": None}
    assert alice.heard[1:] == [{"type": "websocket.send", **frame} for frame in frames]


async def test_a_subprotocol_is_chosen_where_some_are_offered() -> None:
    alice = Client("/ws/echo/", subprotocols=["one", "two"])
    alice.leaves()
    await alice.meets(echo_socket)
    assert alice.heard[0]["subprotocol"] == "one"


async def test_it_closes_once_when_the_process_leaves_and_is_forgotten_after() -> None:
    before = drain.sockets.copy()
    alice = Client("/ws/echo/")
    task = alice.meets(echo_socket)
    await everybody_has_acted()
    (echo,) = drain.sockets - before
    echo.close_with(RESTART)
    echo.close_with(RESTART)
    await everybody_has_acted()
    assert alice.heard[1:] == [{"type": "websocket.close", "code": 4501, "reason": "restart"}]
    alice.leaves()
    await task
    assert drain.sockets == before


async def test_a_client_that_has_gone_is_nobodys_fault() -> None:
    class Gone(Client):
        async def send(self, message: dict[str, Any]) -> None:
            if message["type"] == "websocket.send":
                raise OSError

    bob = Gone("/ws/echo/")
    bob.says(text="anybody?")
    await bob.meets(echo_socket)
