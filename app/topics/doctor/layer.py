"""Redis, which carries what happens from one process to the others: each server of it."""

import secrets
import time
from collections.abc import Iterator
from typing import Any, Final

from realtime import budget, redises
from realtime.lean import redis
from realtime.outage import kind
from realtime.redises import Host, place
from topics.doctor.clock import clock
from topics.doctor.findings import Finding, broken, doubtful, ok

SECONDS: Final = 3.0  # for an answer
NEARLY: Final = 0.9


def client(host: Host) -> "redis.Redis":
    return redises.client(host, SECONDS)


def told(host: Host) -> dict[str, Any]:
    with client(host) as asked:
        found: dict[str, Any] = asked.info()
        return found


def redis_answers(host: Host) -> Iterator[Finding]:
    try:
        with client(host) as asked:
            asked.ping()
    except (redis.RedisError, OSError) as error:
        yield broken(
            f"Redis at {place(host)} does not answer: {kind(error)}. Words arrive late between processes.",
            "Mend REDIS_URL, or start Redis (`docker compose ps redis`, `docker compose logs redis`).",
        )
    else:
        yield ok(f"Redis at {place(host)} answers.")


def redis_carries_messages(host: Host) -> Iterator[Finding]:
    """A message from here to here, as from one process to another."""
    channel, text = f"doctor.{secrets.token_hex(8)}", secrets.token_bytes(8)
    with client(host) as speaking, client(host) as asked, asked.pubsub(ignore_subscribe_messages=True) as listening:
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


def redis_memory(host: Host) -> Iterator[Finding]:
    """Nothing of this site lasts in it, so memory is what subscribers have not read yet."""
    info = told(host)
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


def redis_connections(host: Host) -> Iterator[Finding]:
    info = told(host)
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


def clock_of_redis(host: Host) -> Iterator[Finding]:
    with client(host) as asked:
        asked.ping()
        before = time.time()
        seconds, microseconds = asked.time()
        yield clock("Redis", before, seconds + microseconds / 1e6, time.time())


def sentinels(host: Host) -> Iterator[Finding]:
    """Whether another server would take over, and would be found."""
    for name, port in host.get("sentinels", ()):
        timeouts = {"socket_timeout": SECONDS, "socket_connect_timeout": SECONDS}
        try:
            with redis.Redis(name, port, **host["sentinel_kwargs"] | timeouts) as asked:
                asked.execute_command("SENTINEL", "CKQUORUM", host["master_name"])
                replicas = asked.sentinel_slaves(host["master_name"])
        except redis.ResponseError as error:
            mend = f"Most Sentinels must see each other and know {host['master_name']}: look at their logs."
            yield broken(f"The Sentinel at {name}:{port} could choose no other master: {str(error)[:100]}.", mend)
        except (redis.RedisError, OSError) as error:
            yield doubtful(
                f"The Sentinel at {name}:{port} does not answer: {kind(error)}.", "Start it, or mend REDIS_URL."
            )
        else:
            if any(not one["is_odown"] and not one["is_sdown"] for one in replicas):
                yield ok(f"The Sentinel at {name}:{port} has a replica that would take over.")
            else:
                mend = "Start a replica (replicaof), which takes over when the master dies."
                yield doubtful(f"The Sentinel at {name}:{port} knows no replica that runs.", mend)


CHECKS: Final = (redis_answers, redis_carries_messages, redis_memory, redis_connections, clock_of_redis, sentinels)
