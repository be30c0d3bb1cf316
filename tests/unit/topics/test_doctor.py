"""How the doctor asks, and what it says of things that no test can break: clocks, full disks, leaving servers."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.checks import Error, Info, Warning

from realtime.closing import LOGIN, RESTART
from topics.doctor import machine
from topics.doctor.clock import clock
from topics.doctor.findings import BROKEN, DOUBTFUL, OK, Finding, ask, broken, ok
from topics.doctor.handshakes import ended
from topics.doctor.site import Site


def well() -> Iterator[Finding]:
    yield ok("All is well.")


def ill() -> Iterator[Finding]:
    yield broken("It is broken.", "Mend it.")


def raising(*_: object) -> Iterator[Finding]:
    yield ok("So far.")
    raise ConnectionRefusedError(111, "with a password in its words")


def test_a_finding_has_the_name_of_its_check() -> None:
    assert list(ask([well])) == [Finding(OK, "All is well.", check="well")]


def test_where_the_first_is_broken_the_others_are_not_asked() -> None:
    assert [finding.check for finding in ask([ill, well])] == ["ill"]
    assert [finding.check for finding in ask([well, ill, well])] == ["well", "ill", "well"]


def test_a_check_that_fails_is_a_finding_without_the_errors_words() -> None:
    found = list(ask([well, raising, well]))
    assert [finding.state for finding in found] == [OK, OK, BROKEN, OK]
    assert "ConnectionRefusedError (Connection refused)" in found[2].says
    assert "password" not in found[2].says


@pytest.mark.parametrize(
    ("theirs", "state", "words"),
    [
        (1000.05, OK, "agrees"),
        (1001.9, OK, "agrees"),
        (1005.0, DOUBTFUL, "5 s ahead of the one here"),
        (993.0, DOUBTFUL, "7 s behind the one here"),
        (1100.1, BROKEN, "100 s ahead"),
        (900.0, BROKEN, "100 s behind"),
    ],
)
def test_a_clock_that_is_wrong_is_said_to_be(theirs: float, state: str, words: str) -> None:
    found = clock("the database", 1000.0, theirs, 1000.1)
    assert found.state == state
    assert words in found.says
    assert bool(found.mend) == (state != OK)


def test_what_is_cut_off_to_a_second_is_not_late_by_that() -> None:
    assert clock("the site", 1000.9, 998.0, 1001.0, exact_to=1).state == OK
    assert clock("the site", 1000.9, 997.0, 1001.0, exact_to=1).state == DOUBTFUL


@pytest.mark.parametrize(("free", "state"), [(10 * 2**30, OK), (500 * 2**20, DOUBTFUL), (50 * 2**20, BROKEN)])
def test_a_disk_that_fills_is_told_in_time(monkeypatch: pytest.MonkeyPatch, free: int, state: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    monkeypatch.setattr(machine, "places", lambda: [Path("/")])
    (found,) = machine.disk()
    assert found.state == state
    assert f"{free // 2**20} MB are free at /" in found.says


def test_checks_of_django_are_findings() -> None:
    messages = [Error("Wrong\n  it is.", hint="Mend it.", id="a"), Warning("Odd.", id="b"), Info("News.", id="c")]
    first, second = machine.as_findings(messages)
    assert first == broken("Wrong it is.", "Mend it.")
    assert (second.state, second.says) == (DOUBTFUL, "Odd.")
    assert "b" in second.mend


@pytest.mark.parametrize(
    ("code", "state", "words"),
    [
        (LOGIN.code, OK, "only who is logged in"),
        (RESTART.code, DOUBTFUL, "left while"),
        (1012, DOUBTFUL, "left while"),
        (1006, BROKEN, "cut after 60 s"),
    ],
)
def test_a_socket_that_ends_is_not_always_cut(code: int, state: str, words: str) -> None:
    found = ended(60.2, code)
    assert found.state == state
    assert words in found.says


@pytest.mark.parametrize(
    ("url", "origin", "scheme", "port"),
    [
        ("https://rooms.example.org", "https://rooms.example.org", "https", 443),
        ("https://Rooms.example.org:443/room/a/", "https://rooms.example.org", "https", 443),
        ("http://localhost:8080", "http://localhost:8080", "http", 8080),
        ("http://[::1]:8080/", "http://[::1]:8080", "http", 8080),
        ("https://räume.example", "https://xn--rume-loa.example", "https", 443),
    ],
)
def test_an_origin_is_as_a_browser_sends_it(url: str, origin: str, scheme: str, port: int) -> None:
    site = Site.at(url)
    assert (site.origin, site.scheme, site.port) == (origin, scheme, port)


@pytest.mark.parametrize("url", ["rooms.example.org", "ftp://rooms.example.org", "https://", "http://a:99999", ""])
def test_what_is_no_address_is_refused_by_a_sentence(url: str) -> None:
    with pytest.raises(ValueError, match=r"^'.*' is not an address such as https://"):
        Site.at(url)
