"""Which rooms and routes there are, and from which sites people may come."""

from http import HTTPStatus
from urllib.parse import quote

import pytest
from websockets.exceptions import InvalidStatus

from client import Socket, dial, enter, new_room, room_path
from servers.stack import Stack

FRIEND = "https://friend.example"


@pytest.mark.parametrize("name", ["हिन्दी", "茶馆", "café", "Ünïcode_-9", "٤٢", "x" * 64, "茶" * 64, "علی\u200cرضا"])
async def test_rooms_are_named_in_any_script(stack: Stack, name: str) -> None:
    async with await enter(stack.ws_url, name) as alice:
        assert alice.welcome["room"] == name


@pytest.mark.parametrize(
    "path",
    [
        *(
            f"/ws/room/{quote(name, safe='')}/"
            for name in ["a b", "🍵", "x" * 65, "a\n", "a\0", "a/b", "a.b", "\u200d", "\u3164"]
        ),
        "/ws/room/%ff%fe/",
        "/ws/room/",
        "/ws/room/lobby",
        "/ws/room/lobby/more/",
        "/ws",
        "/ws/nowhere/",
    ],
)
async def test_other_names_and_routes_are_refused_for_good(stack: Stack, path: str) -> None:
    alice = Socket(await dial(stack.ws[0].ws_url + path))
    assert await alice.closed() == 4404
    assert [frame["type"] for frame in alice.frames] == ["goodbye"]
    assert alice.frames[0]["reason"] == "no_such_room"


async def test_a_composed_name_is_the_same_room_as_its_parts(stack: Stack) -> None:
    room = new_room("café")
    async with (
        await enter(stack.ws_url, room) as alice,
        await enter(stack.ws_url, room.replace("é", "e\u0301")) as bob,
    ):
        await bob.say("same place")
        await alice.hears("same place")


async def test_who_is_no_browser_or_comes_from_here_or_from_a_friend_may_enter(stack: Stack) -> None:
    for origin in (None, stack.base_url, FRIEND):
        headers = {"Origin": origin} if origin else {}
        async with await enter(stack.ws_url, new_room(), headers=headers) as alice:
            await alice.say("in")


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "https://{host}",
        "http://{host}.evil.example",
        "http://{host}/",
        "http://evil@{host}",
        "http://localhost:{port}",
        "http://friend.example",
        "https://friend.example:444",
        "null",
        "http://[::1",
        "http://{host}:99999",
        "{host}",
        "*",
        "\xff",
    ],
)
async def test_pages_of_other_sites_may_not(stack: Stack, origin: str) -> None:
    origin = origin.format(host=stack.base_url.removeprefix("http://"), port=stack.nginx.port)
    assert await refused(stack.ws_url + room_path(new_room()), {"Origin": origin}) == HTTPStatus.FORBIDDEN


async def test_an_origin_that_only_matches_a_foreign_host_is_refused(stack: Stack) -> None:
    url = "ws://evil.example" + room_path(new_room())
    origin = {"Origin": "http://evil.example"}
    assert await refused(url, origin, port=stack.ws[0].port) == HTTPStatus.FORBIDDEN


async def test_the_health_socket_says_yes_and_leaves(stack: Stack) -> None:
    for process in stack.ws:
        probe = Socket(await dial(process.ws_url + "/ws/health/"))
        assert await probe.closed() == 1000
        assert probe.frames == []


async def refused(url: str, headers: dict[str, str], port: int | None = None) -> int:
    with pytest.raises(InvalidStatus) as refusal:
        await dial(url, headers=headers, port=port)
    return refusal.value.response.status_code
