"""Which web pages may open a socket."""

from collections.abc import Callable
from typing import Any

import pytest

from realtime import origin
from realtime.origin import OriginGuard, is_welcome
from realtime.seldom import Seldom
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


@pytest.mark.parametrize("host", ["localhost", "rooms.localhost", "127.0.0.1", "[::1]"])
def test_where_no_host_is_named_debug_means_this_machine(host: str, settings: Any) -> None:
    settings.ALLOWED_HOSTS, settings.DEBUG = [], True
    assert is_welcome(page(f"http://{host}:8000", f"{host}:8000"))
    assert not is_welcome(page("http://chat.example", "chat.example"))
    settings.DEBUG = False
    assert not is_welcome(page(f"http://{host}:8000", f"{host}:8000"))


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


# --- What is said of it ------------------------------------------------------------------------------


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    monkeypatch.setattr(origin, "refusals", Seldom())
    return lambda: [record.getMessage() for record in caplog.records]


async def knock(*scopes: dict[str, Any]) -> None:
    for scope in scopes:
        client = Client()
        client.scope = scope
        client.meets(OriginGuard(room))
    await everybody_has_acted()


async def test_a_refused_origin_is_said_once_with_what_to_do(said: Callable[[], list[str]]) -> None:
    await knock(*(page("https://new.example") for _ in range(9)))
    assert said() == [
        "a socket of the page 'https://new.example' was refused: "
        "if its pages may open sockets here, add it to ALLOWED_ORIGINS"
    ]


async def test_a_refused_host_is_said_once_with_what_to_do(said: Callable[[], list[str]]) -> None:
    await knock(*(page("https://new.example", "new.example") for _ in range(9)))
    assert said() == [
        "a socket to the host 'new.example' was refused: if it is a name of this site, add it to ALLOWED_HOSTS"
    ]


@pytest.mark.parametrize(
    ("sent", "host"), [("https://chat.example", "chat.example"), ("http://chat.example:8080", "chat.example")]
)
async def test_the_sites_own_page_that_a_proxy_has_changed_is_said_as_such(
    said: Callable[[], list[str]], sent: str, host: str
) -> None:
    """With another scheme or without its port: no setting of origins would be right."""
    await knock(page(sent, host))
    (line,) = said()
    assert line.startswith(
        f"a socket of the page '{sent}' was refused: to this process it came to 'http://chat.example'"
    )
    assert "X-Forwarded-Proto" in line
    assert "ALLOWED_ORIGINS" not in line


async def test_a_stranger_who_thinks_of_many_does_not_fill_the_log(said: Callable[[], list[str]]) -> None:
    await knock(*(page(f"https://{number}.example" + "x" * 9_999) for number in range(500)))
    await knock(
        page("\xff"), page("http://a\r\nb"), page("http://[::1"), page("http://chat.example", "chat.example:99999")
    )
    assert len(said()) == 20
    assert max(map(len, said())) < 300


async def test_who_is_welcome_is_not_news(said: Callable[[], list[str]]) -> None:
    await knock(page("http://chat.example"), Client().scope)
    assert said() == []
