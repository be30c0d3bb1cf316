"""Which application serves which path: alice's leads somewhere, carol's nowhere."""

import sys
from typing import Any

import channels.routing
import pytest
from asgiref.compatibility import is_double_callable
from django.urls import Resolver404, include, path, re_path

from realtime.admission import Admission
from realtime.origin import OriginGuard
from realtime.routing import ProtocolTypeRouter, URLRouter
from realtime.tls import TlsGuard

Scope = dict[str, Any]


async def room(scope: Scope, receive: Any, send: Any) -> None:
    await send({"room": scope["url_route"]["kwargs"], "rest": scope["path_remaining"]})


async def poll(scope: Scope, receive: Any, send: Any) -> None:
    await send({"poll": scope["url_route"]["kwargs"]})


async def nowhere(scope: Scope, receive: Any, send: Any) -> None:
    await send({"nowhere": scope["path"]})


ROUTES: list[Any] = [path("ws/room/<int:number>/", room)]  # type: ignore[arg-type]
LAST: list[Any] = [re_path("", nowhere)]  # type: ignore[arg-type]
VOTES: list[Any] = [path("<slug:poll>/", poll), path("", room)]  # type: ignore[arg-type]


async def heard(application: Any, scope: Scope) -> dict[str, Any]:
    sent: list[dict[str, Any]] = []

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    await application(scope, None, send)
    return sent[0]


async def served(routes: list[Any], path: str, **scope: Any) -> dict[str, Any]:
    return await heard(URLRouter(routes), {"path": path, **scope})


async def test_alice_is_led_to_her_room() -> None:
    assert await served(ROUTES + LAST, "/ws/room/7/") == {"room": {"number": 7}, "rest": ""}


@pytest.mark.parametrize("path", ["/ws/room/x/", "/ws/room/7", "/ws/room/7/more/", "/ws/room/7/\n", "/", ""])
async def test_carol_is_led_nowhere(path: str) -> None:
    assert await served(ROUTES + LAST, path) == {"nowhere": path}


async def test_a_route_that_is_appended_is_reached() -> None:
    routes = [*ROUTES, path("ws/room/x/", room), *LAST]  # type: ignore[arg-type]
    assert await served(routes, "/ws/room/x/") == {"room": {}, "rest": ""}


async def test_where_nothing_takes_the_rest_alice_is_told_as_by_channels() -> None:
    with pytest.raises(Resolver404):
        await served(ROUTES, "/ws/poll/lunch/")


@pytest.mark.parametrize(
    "votes", [include(VOTES), URLRouter(VOTES), channels.routing.URLRouter(VOTES)], ids=["include", "ours", "channels"]
)
async def test_routes_stand_within_routes(votes: Any) -> None:
    routes = [path("ws/<str:place>/votes/", votes, {"kind": "secret"}), *ROUTES, *LAST]
    secret = {"place": "town", "kind": "secret"}
    assert await served(routes, "/ws/town/votes/lunch/") == {"poll": {**secret, "poll": "lunch"}}
    assert await served(routes, "/ws/town/votes/") == {"room": secret, "rest": ""}
    assert await served(routes, "/ws/town/votes/lunch/more/") == {"nowhere": "/ws/town/votes/lunch/more/"}
    assert await served(routes, "/ws/room/7/") == {"room": {"number": 7}, "rest": ""}


async def test_a_router_behind_somebodys_middleware_has_the_rest_of_the_path() -> None:
    async def middleware(scope: Scope, receive: Any, send: Any) -> None:
        await inner({**scope, "user": "alice"}, receive, send)

    inner = channels.routing.URLRouter(VOTES)
    assert await served([re_path("^ws/(?P<place>[a-z]+)/", middleware)], "/ws/town/lunch/") == {  # type: ignore[arg-type]
        "poll": {"place": "town", "poll": "lunch"}
    }


async def test_the_place_of_the_whole_site_is_no_part_of_a_route() -> None:
    assert await served(ROUTES, "/site/ws/room/7/", root_path="/site") == {"room": {"number": 7}, "rest": ""}


async def test_each_protocol_has_its_application() -> None:
    application = ProtocolTypeRouter({"websocket": URLRouter(ROUTES), "http": nowhere})
    assert await heard(application, {"type": "websocket", "path": "/ws/room/7/"}) == {"room": {"number": 7}, "rest": ""}
    assert await heard(application, {"type": "http", "path": "/ws/room/7/"}) == {"nowhere": "/ws/room/7/"}
    with pytest.raises(ValueError, match="telepathy"):
        await heard(application, {"type": "telepathy"})


def test_whatever_stands_in_between_is_a_plain_application() -> None:
    for application in (URLRouter(ROUTES), Admission(room), TlsGuard(room), OriginGuard(room), ProtocolTypeRouter({})):
        assert not is_double_callable(application), application


async def test_an_open_socket_keeps_no_router() -> None:
    """What waits for alice's next word is her consumer alone."""
    waiting: list[str] = []

    async def consumer(scope: Scope, receive: Any, send: Any) -> None:
        frame = sys._getframe(1)
        waiting.append(frame.f_code.co_name)

    inner = include([path("room/", consumer)])  # type: ignore[arg-type, list-item]
    await ProtocolTypeRouter({"websocket": OriginGuard(URLRouter([path("ws/", inner)]))})(
        {"type": "websocket", "path": "/ws/room/", "headers": []}, None, None
    )
    assert waiting == ["test_an_open_socket_keeps_no_router"]
