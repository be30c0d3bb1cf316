"""Which application serves which path: alice's leads somewhere, carol's nowhere."""

from typing import Any

import pytest
from django.urls import path

from realtime.routes import Routes


async def room(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await send({"room": scope["url_route"]["kwargs"]})


async def nowhere(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await send({"nowhere": scope["path"]})


ROUTES = [path("ws/room/<int:number>/", room)]  # type: ignore[arg-type]


async def served(routes: list[Any], path: str) -> dict[str, Any]:
    sent: list[dict[str, Any]] = []

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    await Routes(routes, nowhere)({"path": path}, None, send)
    return sent[0]


async def test_alice_is_led_to_her_room() -> None:
    assert await served(ROUTES, "/ws/room/7/") == {"room": {"number": 7}}


@pytest.mark.parametrize("path", ["/ws/room/x/", "/ws/room/7", "/ws/room/7/more/", "/ws/room/7/\n", "/", ""])
async def test_carol_is_led_nowhere(path: str) -> None:
    assert await served(ROUTES, path) == {"nowhere": path}


async def test_a_route_that_is_appended_is_reached() -> None:
    assert await served([*ROUTES, path("ws/room/x/", room)], "/ws/room/x/") == {"room": {}}  # type: ignore[arg-type]
