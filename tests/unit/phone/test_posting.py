"""Anybody may give any address to push to: only the public internet is dialled."""

import socket
from typing import Any

import pytest

from phone import posting
from phone.posting import Letter, is_public, may_be_dialled
from servers.push import PushService

GOOD = "https://push.example.org/abc?d=1"
BAD = [
    "http://push.example.org/abc",
    "https://push.example.org:8443/abc",
    "https://user@push.example.org/abc",
    "https://localhost/abc",
    "https://127.0.0.1/abc",
    "https://[::1]/abc",
    "https://[::ffff:127.0.0.1]/abc",
    "https://[64:ff9b::7f00:1]/abc",
    "https://10.0.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://redis/",
    "https://push.example.org\\@127.0.0.1/",
    "https://push.example.org/a b",
    "https://push.example.org/\n",
    "https://pusch.exämple.org/",
    "https://:443/",
    "https:///",
    "file:///etc/passwd",
    "//push.example.org/",
    "",
    "https://push.example.org:x/",
]


@pytest.fixture(autouse=True)
def outside(settings: Any) -> None:
    settings.PUSH_PRIVATE = False


def test_the_address_of_a_push_service_is_dialled() -> None:
    assert may_be_dialled(GOOD)
    assert may_be_dialled("https://93.184.215.14/")


@pytest.mark.parametrize("endpoint", BAD)
def test_no_other_address_is(endpoint: str) -> None:
    assert not may_be_dialled(endpoint)


@pytest.mark.parametrize(
    "address",
    ["0.0.0.0", "100.64.0.1", "192.168.1.1", "224.0.0.1", "fe80::1%eth0", "fc00::1", "ff02::1", "2002:7f00:1::", "::"],
)
def test_no_address_inside_is_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("host", ["localhost", "2130706433", "0x7f000001", "127.1"])
def test_a_name_that_leads_inside_is_not_dialled(
    service: PushService, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """Also where it was looked at before, and leads elsewhere only now."""
    monkeypatch.setattr(posting, "may_be_dialled", lambda endpoint: True)
    [answer] = posting.post([Letter(f"http://{host}:{service.port}/a", b"x", {})])
    assert answer.status == 0
    assert service.pushes == []


def test_a_service_that_does_not_answer_keeps_nobody_for_long(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.PUSH_PRIVATE = True
    monkeypatch.setattr(posting, "SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        letters = [Letter(f"http://127.0.0.1:{silent.getsockname()[1]}/{n}", b"x", {}) for n in range(20)]
        assert {answer.status for answer in posting.post(letters)} == {0}
