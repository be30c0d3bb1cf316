"""What `python -m realtime.serve` says before it serves."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from realtime import listening

APP = Path(__file__).parents[3] / "app"


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        yield somebody.getsockname()[1]


def test_a_taken_port_is_one_sentence(taken: int, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.HOST, settings.PORT = "127.0.0.1", taken
    with pytest.raises(SystemExit) as end:
        listening.listen(settings.HOST, settings.PORT)
    assert end.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith(f"Port {taken} on 127.0.0.1 cannot be had (Address already in use)")
    assert said.count("\n") == 1


def test_an_address_of_another_machine_is_one_sentence(settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.HOST, settings.PORT = "192.0.2.1", 8000
    with pytest.raises(SystemExit):
        listening.listen(settings.HOST, settings.PORT)
    assert capsys.readouterr().err.startswith("Port 8000 on 192.0.2.1 cannot be had (")


def test_its_socket_sends_at_once_and_gives_up_the_vanished(settings: Any) -> None:
    settings.HOST, settings.PORT = "127.0.0.1", 0
    [listener] = listening.listen(settings.HOST, settings.PORT)
    with listener:
        assert listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 40_000


def test_localhost_is_both_loopback_addresses_as_it_is_to_browsers() -> None:
    assert [address[0] for _, address in listening.addresses("localhost", 8000)] == ["127.0.0.1", "::1"]


def test_a_name_is_each_of_its_addresses_once(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    names("127.0.0.2", "127.0.0.1", "127.0.0.1", monkeypatch=monkeypatch)
    settings.HOST, settings.PORT = "here", 0
    listeners = listening.listen(settings.HOST, settings.PORT)
    assert [listener.getsockname()[0] for listener in listeners] == ["127.0.0.2", "127.0.0.1"]
    for listener in listeners:
        listener.close()


def test_an_address_that_this_machine_lacks_is_done_without(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    names("192.0.2.1", "127.0.0.1", "198.51.100.1", monkeypatch=monkeypatch)
    settings.HOST, settings.PORT = "here", 0
    [listener] = listening.listen(settings.HOST, settings.PORT)
    with listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_a_port_that_is_taken_on_one_address_of_two_is_not_taken_on_the_other(
    taken: int, settings: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names("127.0.0.2", "127.0.0.1", monkeypatch=monkeypatch)
    settings.HOST, settings.PORT = "here", taken
    with pytest.raises(SystemExit):
        listening.listen(settings.HOST, settings.PORT)
    assert capsys.readouterr().err.startswith(f"Port {taken} on here cannot be had (Address already in use)")


def names(*addresses: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes these the addresses of whatever name is asked for."""

    def answer(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        families = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in addresses]
        return [
            (family, socket.SOCK_STREAM, 6, "", (address, port))
            for family, address in zip(families, addresses, strict=True)
        ]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "localhost"), ("0.0.0.0", "localhost"), ("::1", "localhost"), ("127.0.0.2", "127.0.0.2")],
)
def test_it_says_what_to_type_into_a_browser(settings: Any, host: str, shown: str) -> None:
    settings.HOST, settings.PORT = host, 0
    [listener] = listening.listen(settings.HOST, settings.PORT)
    with listener:
        assert listening.url(listener) == f"http://{shown}:{listener.getsockname()[1]}"


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"ALLOWED_HOSTS": "localhost"}, "SECRET_KEY is missing"),
        ({}, "ALLOWED_HOSTS is missing"),
        ({"WS_SERVER": "apache"}, "WS_SERVER must be one of"),
    ],
)
def test_a_setting_without_sense_is_one_sentence(variables: dict[str, str], said: str) -> None:
    command = [sys.executable, "-m", "realtime.serve"]
    done = subprocess.run(command, cwd=APP, env=variables, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1
