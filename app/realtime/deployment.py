"""Django system checks under `check --deploy`: do the settings of the door fit what a browser would send?"""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.core.checks import CheckMessage, Error, Warning
from django.http.request import validate_host

from realtime import redises
from realtime.conf import settings

LOCAL = {"localhost", "127.0.0.1", "[::1]"}


def door_fits(app_configs: Sequence[Any] | None = None, **kwargs: object) -> list[CheckMessage]:
    return [*_hosts(), *_tls(), *_origins(), *_layer()]


def _hosts() -> Iterator[CheckMessage]:
    if "*" in settings.ALLOWED_HOSTS:
        yield Warning(
            "ALLOWED_HOSTS has *: a page that is reached by a stranger's name of this address may open sockets.",
            hint="Name the hosts: ALLOWED_HOSTS=rooms.example.org.",
            id="realtime.W001",
        )


def _tls() -> Iterator[CheckMessage]:
    believed = settings.PROXY_HOPS or settings.SECURE_PROXY_SSL_HEADER
    public = [host for host in settings.ALLOWED_HOSTS if host not in LOCAL]
    if settings.SECURE_SSL_REDIRECT and not believed:
        yield Error(
            "HTTPS is 1 and PROXY_HOPS 0: no proxy is believed that says https, so every page redirects to itself for "
            "ever and every socket is refused.",
            hint="Set PROXY_HOPS=1 if a proxy of yours ends TLS in front, else HTTPS=0.",
            id="realtime.E001",
        )
    if not settings.SECURE_SSL_REDIRECT and public:
        yield Warning(
            f"HTTPS is 0: passwords, cookies and words of {public[0]} cross the network for all to read.",
            hint="End TLS in front of this site, and set HTTPS=1.",
            id="realtime.W002",
        )


def _origins() -> Iterator[CheckMessage]:
    """Those that are written well and can never be met."""
    for origin in settings.ALLOWED_ORIGINS:
        parts = urlsplit(origin)
        if settings.SECURE_SSL_REDIRECT and parts.scheme == "http" and parts.hostname not in LOCAL:
            yield Warning(
                f"ALLOWED_ORIGINS has {origin}: whoever changes that page on its way may talk here as its visitors.",
                hint=f"Serve it by https, and write https://{parts.netloc}.",
                id="realtime.W003",
            )
        elif settings.SECURE_SSL_REDIRECT and not parts.port and _is_ours(parts.hostname or ""):
            yield Warning(
                f"ALLOWED_ORIGINS has {origin}, which is this site itself: its own pages need no entry.",
                hint="Take it out. If they are refused without it, the proxy in front hides Host or X-Forwarded-Proto.",
                id="realtime.W004",
            )


def _is_ours(host: str) -> bool:
    return "*" not in settings.ALLOWED_HOSTS and validate_host(host, settings.ALLOWED_HOSTS)


def _layer() -> Iterator[CheckMessage]:
    for host in redises.hosts():
        place = redises.place(host)
        if not redises.is_open(host) or _is_near(place):
            continue
        yield Warning(
            f"Redis at {place} has no password: whoever reaches it can say anything to anybody.",
            hint="Give it one, and write it into REDIS_URL: redis://:password@host:6379/0.",
            id="realtime.W005",
        )


def _is_near(place: str) -> bool:
    return place.rpartition(":")[0] in LOCAL
