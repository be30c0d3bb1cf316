"""Names and origins as alice writes them, and as browsers send them."""

import pytest
from django.http.request import split_domain_port, validate_host

from config.sites import Misspelt, host, interface, origin


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("rooms.example.org", "rooms.example.org:443"),
        ("Rooms.Example.ORG", "rooms.example.org"),
        (".example.org", "rooms.example.org"),
        ("xn--rume-loa.example.org", "xn--rume-loa.example.org"),
        ("localhost", "localhost:8080"),
        ("192.0.2.7", "192.0.2.7"),
        ("[::1]", "[::1]:8000"),
        ("[0:0:0:0:0:0:0:1]", "[::1]"),
        ("*", "anything.example"),
    ],
)
def test_what_is_accepted_is_met_by_what_a_browser_sends(written: str, sent: str) -> None:
    assert validate_host(split_domain_port(sent)[0], [host(written)])


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("https://rooms.example.org", "rooms.example.org"),
        ("https://rooms.example.org:8443/path?x=1", "rooms.example.org"),
        ("rooms.example.org:443", "rooms.example.org"),
        ("rooms.example.org/", "rooms.example.org"),
        ("rooms.example.org.", "rooms.example.org"),
        ('"rooms.example.org', "rooms.example.org"),
        ("'rooms.example.org'", "rooms.example.org"),
        ("*.example.org", ".example.org"),
        ("räume.example.org", "xn--rume-loa.example.org"),
        ("RÄUME.example.org", "xn--rume-loa.example.org"),
        (".räume.example.org", ".xn--rume-loa.example.org"),
        ("faß.example", "xn--fa-hia.example"),
        ("::1", "[::1]"),
        ("alice@rooms.example.org", "rooms.example.org"),
    ],
)
def test_a_name_that_no_browser_sends_is_refused_with_the_right_one(written: str, right: str) -> None:
    with pytest.raises(Misspelt, match=r"can never match") as refusal:
        host(written)
    assert str(refusal.value).endswith(f"write {right}.")
    assert host(right) == right


@pytest.mark.parametrize(
    "written", ["a.org b.org", "a_b.example.org", "", ".", "https://", "ex ample", "[::1", "a..b", "é" * 99]
)
def test_what_is_no_name_at_all_is_refused(written: str) -> None:
    with pytest.raises(Misspelt, match=r"is not a host name such as"):
        host(written)


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("https://friend.example", "https://friend.example"),
        ("HTTPS://Friend.Example", "https://friend.example"),
        ("https://friend.example:443", "https://friend.example"),
        ("http://friend.example:80", "http://friend.example"),
        ("http://friend.example:443", "http://friend.example:443"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[0:0::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_origin_becomes_what_browsers_send(written: str, sent: str) -> None:
    assert origin(written) == sent


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("https://friend.example/", "https://friend.example"),
        ("https://friend.example:8443/a/b", "https://friend.example:8443"),
        ("friend.example", "https://friend.example"),
        ("friend.example:8443", "https://friend.example:8443"),
        ("https://alice@friend.example", "https://friend.example"),
        ("https://räume.example", "https://xn--rume-loa.example"),
        ('"https://friend.example', "https://friend.example"),
    ],
)
def test_an_origin_that_no_browser_sends_is_refused_with_the_right_one(written: str, right: str) -> None:
    with pytest.raises(Misspelt) as refusal:
        origin(written)
    assert str(refusal.value).endswith(f"write {right}.")
    assert origin(right) == right


@pytest.mark.parametrize(
    "written", ["null", "*", "https://*.example.org", "ws://a.org", "https://a:99999", "https://[", "https://"]
)
def test_what_is_no_origin_at_all_is_refused(written: str) -> None:
    with pytest.raises(Misspelt, match=r"is not an origin such as https://example.org"):
        origin(written)


def test_a_server_listens_on_addresses_and_names() -> None:
    assert [interface(text) for text in ("0.0.0.0", "[::1]", "::", "localhost")] == [
        "0.0.0.0",
        "::1",
        "::",
        "localhost",
    ]
    for text in ("http://0.0.0.0", "0.0.0.0:8000", "", "a b"):
        with pytest.raises(Misspelt):
            interface(text)
