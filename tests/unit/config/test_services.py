"""The addresses of Postgres and Redis: what alice says in them stays, and no sentence shows a part of her password."""

import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

Read = Callable[..., ModuleType]


def database(read: Read, url: str, **variables: str) -> dict[str, Any]:
    found: dict[str, Any] = read(DATABASE_URL=url, **variables).DATABASES["default"]
    return found


@pytest.mark.parametrize("prefix", ["postgres", "postgresql"])
def test_an_address_is_read_as_psql_reads_it(read: Read, prefix: str) -> None:
    found = database(read, f"{prefix}://rooms:p%40ss%2F+word@db.example.org:6432/chat?sslmode=require")
    assert (found["USER"], found["PASSWORD"]) == ("rooms", "p@ss/+word")
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db.example.org", "6432", "chat")
    assert found["OPTIONS"]["sslmode"] == "require"


@pytest.mark.parametrize(
    "url",
    [
        "postgres:///chat?host=/run/postgresql",
        "postgres://%2Frun%2Fpostgresql/chat",
        "postgres://rooms@%2Frun%2Fpostgresql/chat",
        "postgres://rooms@/chat?host=%2Frun%2Fpostgresql",
    ],
)
def test_a_folder_with_a_socket_is_no_host_name(read: Read, url: str) -> None:
    found = database(read, url)
    assert (found["HOST"], found["NAME"]) == ("/run/postgresql", "chat")


def test_the_owner_of_the_tables_is_who_migrates_and_nobody_else(read: Read) -> None:
    url, owner = "postgres://rooms:a@b/c", "postgres://owner:d@b/c"
    for role, user in (("migrate", "owner"), ("command", "rooms"), ("asgi", "rooms"), ("wsgi", "rooms")):
        found = database(read, url, ROLE=role, ALLOWED_HOSTS="a.org", MIGRATE_DATABASE_URL=owner)
        assert found["USER"] == user
    assert database(read, url, ROLE="migrate")["USER"] == "rooms"
    assert "statement_timeout" not in read(ROLE="migrate", MIGRATE_DATABASE_URL=owner).DATABASE_SESSION
    with pytest.raises(ImproperlyConfigured, match=r"^MIGRATE_DATABASE_URL must begin with postgres://"):
        read(DATABASE_URL=url, MIGRATE_DATABASE_URL="owner@b/c")


def test_several_hosts_and_their_ports_are_tried_in_turn(read: Read) -> None:
    found = database(read, "postgres://a:b@one:5432,two:5433/chat?target_session_attrs=read-write")
    assert (found["HOST"], found["PORT"]) == ("one,two", "5432,5433")
    assert found["OPTIONS"]["target_session_attrs"] == "read-write"


def test_what_the_operator_says_is_added_to_and_not_replaced(read: Read) -> None:
    settings = read(
        ROLE="asgi",
        ALLOWED_HOSTS="a.org",
        DATABASE_URL="postgres://a:b@c/d?options=-c%20search_path%3Dchat%20-c%20statement_timeout%3D60s&connect_timeout=30",
    )
    options = settings.DATABASE["OPTIONS"]
    assert options["options"] == "-c search_path=chat -c statement_timeout=60s"
    assert options["connect_timeout"] == "30"
    assert settings.DATABASE_SESSION == {"synchronous_commit": "on"}


def test_what_is_acknowledged_is_on_disk_and_that_cannot_be_turned_off(read: Read) -> None:
    stricter = read(DATABASE_URL="postgres://a:b@c/d?options=-csynchronous_commit%3Dremote_apply")
    assert stricter.DATABASE_SESSION == {}
    with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_URL turns synchronous_commit off"):
        read(DATABASE_URL="postgres://a:b@c/d?options=-c%20synchronous_commit%3Doff")


def test_nothing_is_asked_of_pgbouncer_that_it_refuses(read: Read) -> None:
    assert "options" not in database(read, "postgres://a:b@c/d", ROLE="asgi", ALLOWED_HOSTS="a.org")["OPTIONS"]


def test_sqlite_keeps_what_the_operator_says_and_stays_durable(read: Read) -> None:
    options = database(read, "sqlite:////tmp/rooms.db?timeout=20&init_command=PRAGMA%20cache_size%3D5;")["OPTIONS"]
    assert options["timeout"] == 20
    assert options["transaction_mode"] == "IMMEDIATE"
    assert options["init_command"].startswith("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
    assert options["init_command"].endswith("PRAGMA cache_size=5;")


def test_a_path_of_sqlite_may_have_a_plus(read: Read) -> None:
    assert database(read, "sqlite:////tmp/a+b%23c%20d.db")["NAME"] == "/tmp/a+b#c d.db"


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite://rooms.db", "sqlite:////tmp/a#b.db"])
def test_sqlite_in_a_place_that_was_not_meant_is_refused(read: Read, url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_URL must be sqlite:///path"):
        database(read, url)


PASSWORDS = ["hunter/swordfish", "hunter#swordfish", "hunter?swordfish", "hunter@swordfish", "12/34", "12#34", "12?34"]
PASSWORDS += ["hunter[swordfish", "hunter]swordfish", "hunter%swordfish", "hunter swordfish", "hunter:swordfish"]


def parts(password: str) -> list[str]:
    return [part for part in re.split(r"\W", password) if part]


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("user", ["", "rooms"])
@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
def test_a_password_is_taken_whole_or_refused_and_never_shown(read: Read, name: str, user: str, password: str) -> None:
    url = {"DATABASE_URL": "postgres://{}:{}@db:5432/rooms", "REDIS_URL": "redis://{}:{}@db:6379/0"}[name]
    found, sentence = outcome(read, name, url.format(user, password))
    assert [part for part in parts(password) if part in sentence] == []
    if found:
        places = {"DATABASE_URL": f"{found.DATABASE['HOST']}:{found.DATABASE['PORT']}", "REDIS_URL": found.REDIS_PLACE}
        assert places[name] in ("db:5432", "db:6379")
        assert name == "REDIS_URL" or found.DATABASE["PASSWORD"] == password
    else:
        assert sentence.startswith(f"{name} cannot be read as ")


def outcome(read: Read, name: str, url: str) -> tuple[ModuleType | None, str]:
    """The settings, or the sentence."""
    try:
        return read(**{name: url}), ""
    except ImproperlyConfigured as refusal:
        return None, str(refusal)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgres://a:b@c", "names no database"),
        ("postgres://a:b@c/d?sslmode=always", "has an sslmode"),
        ("postgres://a:b@c/d?connect_timeout=soon", "has a connect_timeout"),
        ("postgres://a:b@c/d?colour=red", "Parameters after [?] are libpq's"),
        ("postgres://a:b@c:0/d", "cannot be read"),
        ("postgres://a:b@ho st/d", "cannot be read"),
    ],
)
def test_an_address_that_cannot_work_is_refused(read: Read, url: str, said: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"^DATABASE_URL .*{said}"):
        database(read, url)


@pytest.mark.parametrize(
    "url",
    [
        "redis://",
        "redis://:p@",
        "redis://:p@redis:port/0",
        "redis://:p@redis:6379/zero",
        "redis://:p@redis:6379/0?colour=red",
        "redis://:p@redis:6379/0?socket_timeout=soon",
        "redis://:p@redis:6379/0?ssl_cert_reqs=none",
        "redis://:p@redis:99999/0",
        "redis://[::1",
        "redis://one,redis://one",
        "redis://one,http://two",
        "redis+sentinel://a:26379",
        "redis+sentinel:///name",
        "redis+sentinel://a:port/name",
        "redis+sentinel://:p/q@a/name",
        "redis+sentinel://a/name?colour=red",
    ],
)
def test_a_redis_that_cannot_work_is_refused(read: Read, url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^REDIS_URL "):
        read(REDIS_URL=url)


@pytest.mark.parametrize(
    "url", ["redis://redis", "redis://u:p%2F%23@my_redis:1/", "redis://[::1]:6379/0", "redis://h?db=2"]
)
def test_a_redis_that_can_is_accepted(read: Read, url: str) -> None:
    assert url == read(REDIS_URL=url).REDIS_URL


def test_how_tls_is_verified_is_the_operators_word(read: Read) -> None:
    for query in ("ssl_cert_reqs=required", "ssl_ca_certs=/ca.pem"):
        address = f"rediss://:p@redis/0?{query}"
        assert [{"address": address}] == read(REDIS_URL=address).REDIS_HOSTS
    assert read(REDIS_URL="rediss://:p@redis/0?socket_timeout=9").REDIS_HOSTS[0]["ssl_cert_reqs"] == "none"


def test_several_redis_are_several_hosts(read: Read) -> None:
    found = read(REDIS_URL="redis://:p,q@one:6379/0, rediss://two")
    assert [host["address"] for host in found.REDIS_HOSTS] == ["redis://:p,q@one:6379/0", "rediss://two"]
    assert found.REDIS_PLACE == "one:6379, two:6379"


def test_what_sentinels_call_the_master(read: Read) -> None:
    url = "redis+sentinel://u:p%2Fq@a:26380,b,[::1]:1/my-master/2?sentinel_password=s%23"
    found = read(REDIS_URL=url)
    (host,) = found.REDIS_HOSTS
    assert (host["master_name"], host["sentinels"]) == ("my-master", [("a", 26380), ("b", 26379), ("::1", 1)])
    assert (host["username"], host["password"], host["db"]) == ("u", "p/q", 2)
    assert host["sentinel_kwargs"]["password"] == "s#"
    assert found.REDIS_PLACE == "my-master by Sentinel at a:26380 b:26379 ::1:1"
    (secret,) = read(REDIS_URL=url.replace("redis+", "rediss+")).REDIS_HOSTS
    assert secret["ssl"] is secret["sentinel_kwargs"]["ssl"] is True
    assert secret["ssl_cert_reqs"] == secret["sentinel_kwargs"]["ssl_cert_reqs"] == "none"


# --- Other secrets ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    [
        "x",
        "hunter2-swordfish",
        "x" * 50,
        "password" * 7,
        "django-insecure-4711-abcdefghijklmnopqrstuvwxyz0123456789",
        "ChangeMe" * 6,
        "your-secret-key-goes-here-and-is-at-least-fifty-long-4711",
    ],
)
def test_a_key_that_can_be_guessed_is_refused_and_not_shown(read: Read, key: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^SECRET_KEY ") as refusal:
        read(SECRET_KEY=key)
    assert key not in str(refusal.value).removeprefix("SECRET_KEY") or key == "x"
    assert "openssl rand" in str(refusal.value)


def test_the_key_of_startproject_is_for_developing(read: Read) -> None:
    key = "django-insecure-4711-abcdefghijklmnopqrstuvwxyz0123456789"
    assert key == read(SECRET_KEY=key, DEBUG="1").SECRET_KEY


def test_a_secret_that_was_given_as_the_name_of_a_file_is_not_shown(read: Read) -> None:
    for name in ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "SENTRY_DSN"):
        with pytest.raises(ImproperlyConfigured, match=rf"^{name}_FILE") as refusal:
            read(**{name: None, f"{name}_FILE": "hunter2-swordfish"})
        assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    "dsn", ["hunter2", "https://hunter2@sentry.example/", "https://sentry.example/5", "ftp://hunter2@a/1"]
)
def test_an_address_of_sentry_that_cannot_work_is_refused_and_not_shown(read: Read, dsn: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^SENTRY_DSN") as refusal:
        read(SENTRY_DSN=dsn)
    assert "hunter2" not in str(refusal.value)


def test_bytes_that_are_no_text_are_refused(read: Read) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^ALLOWED_HOSTS is not text"):
        read(ALLOWED_HOSTS="caf\udce9.example")
