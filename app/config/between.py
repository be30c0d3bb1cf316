"""REDIS_URL: one server of Redis, several that share the rooms, or what Sentinels call the master; and CHANNEL_LAYERS.

    redis://:password@one:6379/0,redis://:password@two:6379/0
    redis+sentinel://:password@a:26379,b:26379,c:26379/name/0?sentinel_password=…

What comes of each is a host as channels_redis takes it, which `realtime.redises` reads too.
"""

import re
import ssl
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from config.services import ESCAPES, is_server, refuse
from realtime import redises
from realtime.lean import ConnectionPool
from realtime.redises import Host

SCHEMES = ("redis://", "rediss://", "redis+sentinel://", "rediss+sentinel://")
ANOTHER = re.compile(r"\s*,\s*(?=rediss?(?:\+sentinel)?://)")
SENTINEL_PORT = 26379
SENTINEL_SECONDS = 1  # for one to answer: then the next is asked
NAME = re.compile(r"/([\w.-]+)(?:/(\d{0,5}))?/?")  # of the master, and the number of a database


def redis(url: str, authority: str) -> list[Host]:
    """The servers, each with how its TLS is verified. Raises ImproperlyConfigured."""
    if authority and not is_certificate(authority):
        raise refuse("REDIS_CA", "is no certificate in PEM: give its text, or the path of its file as REDIS_CA_FILE.")
    found = [host(one, authority) for one in ANOTHER.split(url)] if url else []
    if len({redises.place(one) for one in found}) < len(found):
        raise refuse("REDIS_URL", "names one server twice.")
    return found


def host(url: str, authority: str) -> Host:
    if not url.startswith(SCHEMES):
        raise refuse("REDIS_URL", "must begin with redis:// or rediss:// (or be empty, for one process).")
    if "+sentinel://" in url:
        return sentinels(url, authority)
    try:
        parts = urlsplit(url)
        tls = verification(parts.query, authority) if parts.scheme == "rediss" else {}
        rest = url.partition("://")[2].removeprefix(parts.netloc)
        good = is_server(parts.hostname or "") and not re.search(r"[@#]", rest) and re.fullmatch(r"/?\d*", parts.path)
        ConnectionPool.from_url(url, **tls).make_connection()
    except Exception:  # whose words may show a part of the password
        good = None
    if not good:
        raise refuse("REDIS_URL", f"cannot be read as redis://:password@host:6379/0: {ESCAPES}")
    return {"address": url} | tls


def sentinels(url: str, authority: str) -> Host:
    try:
        parts = urlsplit(url)
        who, _, where = parts.netloc.rpartition("@")
        asked = [sentinel(one) for one in where.split(",")]
        user, _, password = who.partition(":")
        (name, database) = NAME.fullmatch(parts.path).groups()  # type: ignore[union-attr]
        theirs = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
        good = not parts.fragment and theirs.keys() <= {"sentinel_username", "sentinel_password"}
    except (ValueError, AttributeError):
        good = False
    if not good:
        raise refuse(
            "REDIS_URL", f"cannot be read as redis+sentinel://:password@host:26379,host:26379/master-name/0: {ESCAPES}"
        )
    tls = {"ssl": True} | verification("", authority) if parts.scheme.startswith("rediss") else {}
    timeouts = {"socket_timeout": SENTINEL_SECONDS, "socket_connect_timeout": SENTINEL_SECONDS}
    known = {"username": unquote(user), "password": unquote(password), "db": int(database or 0)}
    return {
        "master_name": name,
        "sentinels": asked,
        "sentinel_kwargs": {key.removeprefix("sentinel_"): value for key, value in theirs.items()} | timeouts | tls,
        **{key: value for key, value in known.items() if value},
        **tls,
    }


def sentinel(text: str) -> tuple[str, int]:
    """Raises ValueError."""
    parts = urlsplit(f"//{text}")
    if not is_server(parts.hostname or ""):
        raise ValueError(text)
    return str(parts.hostname), parts.port or SENTINEL_PORT


def verification(query: str, authority: str) -> dict[str, Any]:
    """Always encrypted, and verified where there is an authority to do it by, unless the address says how.

    Heroku's certificate is self-signed.
    """
    if authority:
        return {"ssl_ca_data": authority}
    if re.search("ssl_(cert_reqs|ca_|check_hostname)", query):
        return {}
    return {"ssl_cert_reqs": "none", "ssl_check_hostname": False}


def is_certificate(text: str) -> bool:
    try:
        ssl.create_default_context(cadata=text)
    except ssl.SSLError:
        return False
    return True


def layers(hosts: list[Host]) -> dict[str, dict[str, Any]]:
    """What may carry events between the processes, by its name."""
    return {
        "redis": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": hosts, "prefix": "rooms"},
        },
        "postgres": {"BACKEND": "realtime.postgres.PostgresChannelLayer", "CONFIG": {"prefix": "rooms"}},
        "memory": {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 10_000}},
    }
