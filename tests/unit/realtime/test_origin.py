"""Which web pages may open a socket."""

from typing import Any

import pytest

from realtime.origin import OriginGuard, is_welcome
from unit.realtime.asgi import Client, everybody_has_acted, room


@pytest.fixture(autouse=True)
def site(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["chat.example", "localhost", "[::1]"]
    settings.ALLOWED_ORIGINS = ["https://friend.example"]


def page(origin: str, host: str = "chat.example", scheme: str = "ws") -> dict[str, Any]:
    return Client(headers={"Host": host, "Origin": origin}, scheme=scheme).scope


@pytest.mark.parametrize(
    ("origin", "host", "scheme"),
    [
        ("http://chat.example", "chat.example", "ws"),
        ("https://chat.example", "chat.example", "wss"),
        ("https://chat.example", "Chat.Example", "wss"),
        ("https://chat.example", "chat.example:443", "wss"),
        ("http://chat.example", "chat.example:80", "ws"),
        ("http://localhost:8080", "localhost:8080", "ws"),
        ("http://[::1]:8000", "[::1]:8000", "ws"),
        ("https://friend.example", "chat.example", "ws"),
    ],
)
def test_the_sites_own_pages_and_those_of_friends_are_welcome(origin: str, host: str, scheme: str) -> None:
    assert is_welcome(page(origin, host, scheme))


@pytest.mark.parametrize(
    ("origin", "host", "scheme"),
    [
        ("http://evil.example", "chat.example", "ws"),
        ("http://evil.example", "evil.example", "ws"),  # DNS rebinding: the host is not ours
        ("https://chat.example", "chat.example", "ws"),
        ("http://chat.example", "chat.example", "wss"),
        ("http://chat.example:8080", "chat.example", "ws"),
        ("http://chat.example", "chat.example:8080", "ws"),
        ("http://chat.example/", "chat.example", "ws"),
        ("http://chat.example.evil.example", "chat.example", "ws"),
        ("https://friend.example:444", "chat.example", "ws"),
        ("http://friend.example", "chat.example", "ws"),
        ("null", "chat.example", "ws"),
        ("", "chat.example", "ws"),
        ("http://", "", "ws"),
        ("http://[::1", "[::1", "ws"),
        ("http://\xff", "chat.example", "ws"),
        ("http://chat.example", "chat.example\xff", "ws"),
    ],
)
def test_all_others_are_not(origin: str, host: str, scheme: str) -> None:
    assert not is_welcome(page(origin, host, scheme))


def test_a_client_that_is_no_browser_is_welcome() -> None:
    assert is_welcome(Client(headers={"Host": "anything at all"}).scope)


@pytest.mark.parametrize("name", [b"origin", b"host"])
def test_a_header_that_comes_twice_is_a_trick(name: bytes) -> None:
    scope = page("http://chat.example")
    scope["headers"] += [header for header in scope["headers"] if header[0] == name]
    assert not is_welcome(scope)


def test_any_host_is_ours_where_the_setting_says_so(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    assert is_welcome(page("http://evil.example", "evil.example"))
    assert not is_welcome(page("http://evil.example", "chat.example"))


async def test_the_handshake_of_a_foreign_page_never_reaches_the_room() -> None:
    mallory, alice = Client(headers={"Origin": "http://evil.example", "Host": "chat.example"}), Client()
    guard = OriginGuard(room)
    await mallory.meets(guard)
    alice.meets(guard)
    await everybody_has_acted()
    assert mallory.heard == [{"type": "websocket.close"}]  # which servers answer by 403
    assert alice.outcome == "accept"
