"""Where pages are for HTTPS alone, nobody talks over a line that others read."""

from typing import Any

import pytest

from realtime.tls import TlsGuard
from unit.realtime.asgi import Client, everybody_has_acted, room


@pytest.fixture(autouse=True)
def https(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True


async def test_a_socket_without_tls_is_refused_and_the_log_says_once_why(caplog: pytest.LogCaptureFixture) -> None:
    guard = TlsGuard(room)
    clients = [Client(scheme="ws") for _ in range(9)]
    for client in clients:
        client.meets(guard)
    await everybody_has_acted()
    assert [client.heard for client in clients] == 9 * [[{"type": "websocket.close"}]]  # which servers answer by 403
    (record,) = caplog.records
    assert "X-Forwarded-Proto" in record.getMessage()


async def test_a_socket_over_tls_and_the_containers_own_check_come_in(caplog: pytest.LogCaptureFixture) -> None:
    guard = TlsGuard(room)
    alice, prober = Client(scheme="wss"), Client("/ws/health/", scheme="ws")
    alice.meets(guard)
    prober.meets(guard)
    await everybody_has_acted()
    assert (alice.outcome, prober.outcome) == ("accept", "accept")
    assert caplog.records == []


async def test_where_there_is_no_tls_everybody_comes_in(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = False
    alice = Client(scheme="ws")
    alice.meets(TlsGuard(room))
    await everybody_has_acted()
    assert alice.outcome == "accept"
