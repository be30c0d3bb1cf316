"""Whom to believe: carol writes what she likes into her headers, and only our own proxy is believed."""

from typing import Any

import pytest

from realtime import proxy

CAROL = ["203.0.113.9", 4711]


async def seen(hops: int, *headers: tuple[bytes, bytes], type: str = "websocket") -> dict[str, Any]:
    """The scope that the application gets."""
    found: list[dict[str, Any]] = []

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        found.append(scope)

    scope = {"type": type, "client": CAROL, "scheme": "ws" if type == "websocket" else "http", "headers": list(headers)}
    before = dict(scope)
    await proxy.over_asgi(application, hops)(scope, None, None)
    assert scope == before, "the server's own scope stays as it was"
    return found[0]


def seen_by_wsgi(hops: int, **headers: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        found.append(environ)
        return []

    environ = {"REMOTE_ADDR": CAROL[0], "wsgi.url_scheme": "http"} | {
        f"HTTP_{name}": text for name, text in headers.items()
    }
    proxy.over_wsgi(application, hops)(environ, None)
    return found[0]


@pytest.mark.parametrize("type", ["http", "websocket"])
async def test_without_a_proxy_the_headers_are_the_clients_own_words(type: str) -> None:
    forged = (b"x-forwarded-for", b"127.0.0.1"), (b"x-forwarded-proto", b"https")
    scope = await seen(0, *forged, type=type)
    assert scope["client"] == CAROL
    assert scope["scheme"] in ("ws", "http")
    environ = seen_by_wsgi(0, X_FORWARDED_FOR="127.0.0.1", X_FORWARDED_PROTO="https")
    assert (environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]) == (CAROL[0], "http")


@pytest.mark.parametrize(
    "header",
    [
        "198.51.100.7",
        "127.0.0.1, 198.51.100.7",
        "127.0.0.1,10.0.0.1,  198.51.100.7 ",
        "<script>, 198.51.100.7",
        ", ,198.51.100.7",
    ],
)
async def test_behind_the_proxy_only_what_the_proxy_itself_wrote_counts(header: str) -> None:
    scope = await seen(1, (b"x-forwarded-for", header.encode()))
    assert scope["client"] == ["198.51.100.7", 0]
    assert seen_by_wsgi(1, X_FORWARDED_FOR=header)["REMOTE_ADDR"] == "198.51.100.7"


async def test_of_two_such_headers_the_proxys_is_the_last() -> None:
    scope = await seen(1, (b"x-forwarded-for", b"127.0.0.1"), (b"x-forwarded-for", b"198.51.100.7"))
    assert scope["client"] == ["198.51.100.7", 0]


@pytest.mark.parametrize("header", ["", " ", "127.0.0.1,"])
async def test_where_the_proxy_says_nothing_the_connections_own_address_stays(header: str) -> None:
    assert (await seen(1, (b"x-forwarded-for", header.encode())))["client"] == CAROL
    assert (await seen(1))["client"] == CAROL
    assert seen_by_wsgi(1, X_FORWARDED_FOR=header)["REMOTE_ADDR"] == CAROL[0]


@pytest.mark.parametrize(
    ("header", "address"),
    [
        ("198.51.100.7:4711", "198.51.100.7"),  # Azure
        ("203.0.113.1, 198.51.100.7:80", "198.51.100.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("2001:DB8:0:0::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ('"[2001:db8::7]:4711"', "2001:db8::7"),
        ("fe80::7%eth0", "fe80::7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("[::ffff:198.51.100.7]:4711", "198.51.100.7"),
    ],
)
async def test_an_address_is_the_same_however_the_proxy_spells_it(header: str, address: str) -> None:
    assert (await seen(1, (b"x-forwarded-for", header.encode())))["client"] == [address, 0]
    assert seen_by_wsgi(1, X_FORWARDED_FOR=header)["REMOTE_ADDR"] == address


@pytest.mark.parametrize("header", ["unknown", "_hidden", "198.51.100", "a:1", "[]:1", "\xff"])
async def test_what_is_no_address_is_ignored(header: str) -> None:
    assert (await seen(1, (b"x-forwarded-for", header.encode("latin-1"))))["client"] == CAROL
    assert seen_by_wsgi(1, X_FORWARDED_FOR=header)["REMOTE_ADDR"] == CAROL[0]


@pytest.mark.parametrize(
    ("header", "secure"),
    [
        *(
            (header, True)
            for header in ("https", "HTTPS", "wss", "WSS", "on", "ssl", '"https"', "http, https", "ws,wss ")
        ),
        *((header, False) for header in ("http", "ws", "off", "https, http", "wss,ws")),
    ],
)
async def test_the_scheme_is_the_one_that_the_proxy_was_asked_by(header: str, secure: bool) -> None:
    forwarded = (b"x-forwarded-proto", header.encode())
    assert (await seen(1, forwarded))["scheme"] == ("wss" if secure else "ws")
    assert (await seen(1, forwarded, type="http"))["scheme"] == ("https" if secure else "http")
    assert seen_by_wsgi(1, X_FORWARDED_PROTO=header)["wsgi.url_scheme"] == ("https" if secure else "http")


@pytest.mark.parametrize("header", ["", "ftp", "javascript", "https://a", "é"])
async def test_a_scheme_that_is_none_is_ignored(header: str) -> None:
    assert (await seen(1, (b"x-forwarded-proto", header.encode())))["scheme"] == "ws"
    assert seen_by_wsgi(1, X_FORWARDED_PROTO=header)["wsgi.url_scheme"] == "http"
