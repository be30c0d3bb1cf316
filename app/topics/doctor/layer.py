"""Redis, which carries what happens from one process to the others."""

import secrets
import time
from collections.abc import Iterator
from typing import Any, Final

from realtime import budget
from realtime.lean import redis
from realtime.outage import kind
from topics.conf import settings
from topics.doctor.clock import clock
from topics.doctor.findings import Finding, broken, doubtful, ok

SECONDS: Final = 3.0  # for an answer
NEARLY: Final = 0.9


def client() -> "redis.Redis":
    timeouts = {"socket_timeout": SECONDS, "socket_connect_timeout": SECONDS}
    return redis.Redis.from_url(settings.REDIS_URL, **timeouts, **settings.REDIS_TLS)


def told() -> dict[str, Any]:
    with client() as asked:
        found: dict[str, Any] = asked.info()
        return found


def redis_answers() -> Iterator[Finding]:
    try:
        with client() as asked:
            asked.ping()
    except (redis.RedisError, OSError) as error:
        yield broken(
            f"Redis at {settings.REDIS_PLACE} does not answer: {kind(error)}. Words arrive late between processes.",
            "Mend REDIS_URL, or start Redis (`docker compose ps redis`, `docker compose logs redis`).",
        )
    else:
        yield ok(f"Redis at {settings.REDIS_PLACE} answers.")


def redis_carries_messages() -> Iterator[Finding]:
    """A message from here to here, as from one process to another."""
    channel, text = f"doctor.{secrets.token_hex(8)}", secrets.token_bytes(8)
    with client() as speaking, client() as asked, asked.pubsub(ignore_subscribe_messages=True) as listening:
        try:
            listening.subscribe(channel)
            listening.get_message(timeout=SECONDS)  # that it is subscribed
            speaking.publish(channel, text)
            heard = listening.get_message(timeout=SECONDS)
        except redis.exceptions.NoPermissionError:
            mend = "Let its user: ACL SETUSER … &* +@pubsub +ping +info, in Redis or its aclfile."
            yield broken("Redis lets this user neither publish nor subscribe.", mend)
            return
    if heard and heard["data"] == text:
        yield ok("Redis carries messages between processes.")
    else:
        yield broken(
            f"Redis did not bring a message back in {SECONDS:.0f} s.", "Restart it: it holds nothing that lasts."
        )


def redis_memory() -> Iterator[Finding]:
    """Nothing of this site lasts in it, so memory is what subscribers have not read yet."""
    info = told()
    used, most, policy = info.get("used_memory", 0), info.get("maxmemory", 0), info.get("maxmemory_policy", "")
    says = f"Redis uses {used // 2**20} MB of {most // 2**20} (maxmemory-policy {policy})"
    if not most:
        yield doubtful(
            "Redis has no maxmemory: subscribers that fall behind may take all memory of its machine.",
            "Set maxmemory 128mb, maxmemory-clients 96mb, client-output-buffer-limit pubsub 32mb 8mb 60 in redis.conf.",
        )
    elif used > NEARLY * most:
        yield doubtful(
            f"{says}: subscribers are cut off soon.", "Raise maxmemory, or give this site a Redis of its own."
        )
    elif info.get("evicted_keys", 0):
        yield doubtful(
            f"{says} and has thrown out {info['evicted_keys']} keys, which are another application's.",
            "Raise maxmemory, or give this site a Redis of its own.",
        )
    else:
        yield ok(f"{says}.")


def redis_connections() -> Iterator[Finding]:
    info = told()
    used, most, need = info.get("connected_clients", 0), info.get("maxclients", 0), budget.redis_connections()
    if most and need > most:
        yield broken(
            f"A deploy may need {need} connections, and Redis lets {most} in.",
            f"Lower REPLICAS or WEB_CONCURRENCY, or set maxclients {need} in redis.conf.",
        )
    elif most and used > NEARLY * most:
        yield doubtful(f"{used} of {most} connections of Redis are taken.", "CLIENT LIST in redis-cli shows by whom.")
    else:
        yield ok(f"{need} connections are needed at most, and Redis lets {most or 'any number'} in.")


def clock_of_redis() -> Iterator[Finding]:
    with client() as asked:
        asked.ping()
        before = time.time()
        seconds, microseconds = asked.time()
        yield clock("Redis", before, seconds + microseconds / 1e6, time.time())


CHECKS: Final = (redis_answers, redis_carries_messages, redis_memory, redis_connections, clock_of_redis)
