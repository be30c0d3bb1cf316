"""The servers of Redis: one, several that share the rooms, or what Sentinels call the master.

Each is a host as channels_redis takes it: `address`, or `master_name` with `sentinels`, or `host` and `port`.
"""

from typing import Any
from urllib.parse import urlsplit

from realtime.conf import settings
from realtime.lean import redis

Host = dict[str, Any]


def hosts() -> list[Host]:
    """A project of one's own may say REDIS_URL alone."""
    return settings.REDIS_HOSTS or ([{"address": settings.REDIS_URL}] if settings.REDIS_URL else [])


def place(host: Host) -> str:
    """Where it is, for people to read, and by which rooms are shared out: the same in all processes."""
    if "sentinels" in host:
        return f"{host['master_name']} by Sentinel at {' '.join(f'{name}:{port}' for name, port in host['sentinels'])}"
    if "address" not in host:
        return f"{host.get('host', 'localhost')}:{host.get('port', 6379)}"
    parts = urlsplit(host["address"])
    return f"{parts.hostname}:{parts.port or 6379}" if parts.hostname else parts.path


def places(hosts: list[Host]) -> str:
    return ", ".join(map(place, hosts))


def client(host: Host, seconds: float) -> "redis.Redis":
    """One that waits so long at most."""
    wanted = host | {"socket_timeout": seconds, "socket_connect_timeout": seconds}
    if "address" in wanted:
        return redis.Redis.from_url(wanted.pop("address"), **wanted)
    if "sentinels" not in wanted:
        return redis.Redis(**wanted)
    name, asked, theirs = (wanted.pop(key) for key in ("master_name", "sentinels", "sentinel_kwargs"))
    found: redis.Redis = redis.Sentinel(asked, sentinel_kwargs=theirs).master_for(name, **wanted)
    return found


def descriptors(each: int) -> int:
    """What connections take in one process: so many of each server, and two of each Sentinel."""
    return sum(each + 2 * len(host.get("sentinels", ())) for host in hosts()) or each


def is_open(host: Host) -> bool:
    """Whether whoever reaches it may speak, and is heard by whoever listens on the way."""
    if "address" not in host:
        return not host.get("password") and not host.get("ssl")
    return host["address"].startswith("redis://") and "@" not in host["address"]
