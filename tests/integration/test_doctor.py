"""Somebody breaks a deployment, and `manage.py doctor` leads to the cause."""

import json
import resource
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from servers import needed
from servers.app import Image, environment
from servers.nginx import Nginx
from servers.pgbouncer import PgBouncer
from servers.ports import free_port
from servers.postgres import Database, Postgres
from servers.redis import Redis
from servers.stack import SERVERS, Stack

SECONDS = 100


class Found(NamedTuple):
    status: int
    findings: list[dict[str, str]]

    def of(self, state: str) -> dict[str, str]:
        """What is said and how to mend it, by check."""
        told = [each for each in self.findings if each["state"] == state]
        return {each["check"]: f"{each['says']} -> {each['mend']}" for each in told}

    def leads_to(self, check: str, *words: str) -> None:
        """The first broken thing is this one, and there are these words in what is said of it."""
        assert self.status == 1
        first, told = next(iter(self.of("broken").items()))
        assert first == check, self.findings
        for word in words:
            assert word in told


def doctor(image: Image, env: dict[str, str], *arguments: str, files: int = 4096, **variables: str) -> Found:
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor", "--json", *arguments],
        cwd=image.app,
        env=env | variables,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        preexec_fn=partial(resource.setrlimit, resource.RLIMIT_NOFILE, (files, files)),
    )
    assert done.stdout, done.stderr
    return Found(done.returncode, json.loads(done.stdout)["findings"])


# --- Beside the servers ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    redis = Redis()
    redis.start()
    yield redis
    redis.stop()


@pytest.fixture(scope="module")
def database(image: Image, cluster: Postgres) -> Database:
    database = Database(cluster.create_database(f"rooms-{secrets.token_hex(4)}"))
    image.migrate(environment(DATABASE_URL=database.url))
    return database


Look = Callable[..., Found]


@pytest.fixture
def look(image: Image, database: Database, redis: Redis) -> Look:
    env = environment(DATABASE_URL=database.url, REDIS_URL=redis.url, MAX_SOCKETS="3000", WEB_CONCURRENCY="1")
    return partial(doctor, image, env)


def test_where_all_is_well_nothing_is_broken(look: Look) -> None:
    found = look()
    assert (found.status, found.of("broken")) == (0, {})
    assert {"migrations", "stored means stored", "redis carries messages", "clock of redis"} <= found.of("ok").keys()


def test_it_reads_as_sentences(image: Image, tmp_path: Path) -> None:
    env = environment(DATABASE_URL=f"sqlite:///{tmp_path}/db.sqlite3")
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor"], cwd=image.app, env=env, capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    (place,) = [place for place, line in enumerate(lines) if line.startswith("broken")]
    assert "migrations are missing" in lines[place]
    assert "make migrate" in lines[place + 1]


def test_a_database_that_is_away(look: Look) -> None:
    found = look(DATABASE_URL=f"postgres://rooms:log@127.0.0.1:{free_port()}/rooms")
    found.leads_to("database answers", "Connection refused", "DATABASE_URL")
    assert "migrations" not in {each["check"] for each in found.findings}


def test_a_wrong_password_which_is_not_shown(look: Look, database: Database) -> None:
    found = look(DATABASE_URL=database.url.replace(":log@", ":hunter2@"))
    found.leads_to("database answers", "password authentication failed")
    assert "hunter2" not in json.dumps(found.findings)


def test_migrations_that_are_missing(look: Look, cluster: Postgres) -> None:
    look(DATABASE_URL=cluster.create_database(f"empty-{secrets.token_hex(4)}")).leads_to("migrations", "make migrate")


def test_a_database_that_takes_no_writes(look: Look, database: Database) -> None:
    name = database.url.rpartition("/")[2]
    root = Database(database.url.rpartition("/")[0] + "/postgres")
    root.do(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    try:
        look().leads_to("database takes writes", "default_transaction_read_only is on", "RESET")
    finally:
        root.do(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')


def test_servers_that_may_drop_their_tables_or_not_read_them(look: Look, database: Database, cluster: Postgres) -> None:
    found = look()
    assert "role rooms may change and drop tables" in found.of("doubtful")["rights"]
    assert "MIGRATE_DATABASE_URL" in found.of("doubtful")["rights"]
    own = cluster.for_servers(database.url)
    assert "rights" in look(DATABASE_URL=own).of("ok")
    database.do("REVOKE UPDATE ON topics_log FROM servers")
    try:
        look(DATABASE_URL=own).leads_to("rights", "role servers may not", "rows in topics_log", "roles.sh rights rooms")
    finally:
        database.do("GRANT UPDATE ON topics_log TO servers")
    assert "rights" not in {each["check"] for each in look(DYNO="run.1").findings}, "Heroku has one role"


@pytest.mark.parametrize("name", ["fsync", "full_page_writes"])
def test_a_database_that_forgets_at_a_power_cut(look: Look, database: Database, name: str) -> None:
    database.do(f"ALTER SYSTEM SET {name} = off", "SELECT pg_reload_conf()")
    try:
        look().leads_to("stored means stored", f"Postgres' {name} is off", f"Set {name} = on in postgresql.conf")
    finally:
        database.do(f"ALTER SYSTEM RESET {name}", "SELECT pg_reload_conf()")


def test_more_connections_than_postgres_lets_in(look: Look) -> None:
    found = look(DATABASE_POOL="40")
    found.leads_to("database connections", "may need 100 connections", "Postgres lets 57 in", "max_connections = 103")


def test_a_redis_that_is_away(look: Look) -> None:
    port = free_port()
    look(REDIS_URL=f"redis://:channel@127.0.0.1:{port}/0").leads_to("redis answers", f"127.0.0.1:{port}", "REDIS_URL")


def test_a_redis_with_another_password_which_is_not_shown(look: Look, redis: Redis) -> None:
    found = look(REDIS_URL=f"redis://:hunter2@127.0.0.1:{redis.port}/0")
    found.leads_to("redis answers", "AuthenticationError")
    assert "hunter2" not in json.dumps(found.findings)


@pytest.mark.parametrize("missing", ["resetchannels", "-publish", "-subscribe"])
def test_a_redis_whose_user_may_not_speak_or_hear(look: Look, redis: Redis, missing: str) -> None:
    redis.ask(f"ACL SETUSER deaf reset on >word ~* &* +@all {missing}")
    found = look(REDIS_URL=f"redis://deaf:word@127.0.0.1:{redis.port}/0")
    found.leads_to("redis carries messages", "neither publish nor subscribe", "ACL SETUSER")


@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_a_pgbouncer_that_brings_no_notifications_where_there_is_no_redis(
    look: Look, database: Database, mode: str
) -> None:
    needed.programs("pgbouncer")
    bouncer = PgBouncer(database.url, mode)
    bouncer.start()
    try:
        found = look(DATABASE_URL=bouncer.url, REDIS_URL="")
    finally:
        bouncer.kill()
    if mode == "session":
        assert "postgres carries messages" in found.of("ok")
        assert "pooling" not in {each["check"] for each in found.findings}
    else:
        found.leads_to("postgres carries messages", "did not bring a notification back", "pool_mode = session")
        assert "ALTER ROLE rooms SET statement_timeout = '10s'" in found.of("doubtful")["pooling"]


def test_a_pgbouncer_behind_which_nothing_says_that_stored_means_stored(
    look: Look, database: Database, cluster: Postgres
) -> None:
    needed.programs("pgbouncer")
    url = cluster.create_database(f"rooms-{secrets.token_hex(4)}", copy_of=database.url.rpartition("/")[2])
    database.do(f'ALTER DATABASE "{url.rpartition("/")[2]}" SET synchronous_commit = off')
    bouncer = PgBouncer(url, "transaction")
    bouncer.start()
    try:
        found = look(DATABASE_URL=bouncer.url)
    finally:
        bouncer.kill()
    assert "ALTER ROLE rooms SET synchronous_commit = 'on'" in found.of("broken")["pooling"]


def test_a_redis_without_room(look: Look, redis: Redis) -> None:
    redis.ask("CONFIG SET maxmemory 900kb")
    try:
        found = look()
    finally:
        redis.ask("CONFIG SET maxmemory 0")
    assert "subscribers are cut off soon" in found.of("doubtful")["redis memory"]
    assert found.status == 0


def test_too_few_open_files(look: Look) -> None:
    assert "sockets fit, and MAX_SOCKETS=3000" in look(files=1_000).of("doubtful")["open files"]
    look(files=64).leads_to("open files", "no room for a single socket", "ulimit -n")


def test_https_that_nobody_reports(look: Look) -> None:
    look(HTTPS="1").leads_to("settings fit", "HTTPS is 1 and PROXY_HOPS 0", "PROXY_HOPS=1")
    mail = {"EMAIL_URL": "smtp://mail.example.org", "DEFAULT_FROM_EMAIL": "rooms@example.org"}
    found = look(HTTPS="1", PROXY_HOPS="1", **mail)
    assert found.status == 0
    assert "settings fit" not in found.of("doubtful")


def test_settings_that_cannot_be_read(image: Image) -> None:
    env = environment(DATABASE_URL="sqlite://:memory:", HTTPS="maybe")
    command = [sys.executable, "manage.py", "doctor"]
    done = subprocess.run(command, cwd=image.app, env=env, capture_output=True, text=True, timeout=SECONDS)
    assert (done.returncode, done.stderr) == (1, "HTTPS must be 1 or 0, not 'maybe'.\n")


# --- From outside ----------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=SERVERS)
def stack(request: pytest.FixtureRequest, image: Image, postgres: Postgres) -> Iterator[Stack]:
    with Stack(image, postgres, [request.param], ALLOWED_HOSTS="127.0.0.1", WEB_CONCURRENCY="1") as running:
        yield running


def visit(stack: Stack, url: str = "", silence: int = 0, **variables: str) -> Found:
    """By a doctor who knows nothing of the servers' settings."""
    env = environment(DATABASE_URL="sqlite://:memory:")
    return doctor(stack.image, env, "--url", url or stack.base_url, "--silence", str(silence), **variables)


@pytest.fixture
def edge(stack: Stack) -> Iterator["Edge"]:
    edge = Edge(stack)
    yield edge
    edge.stop()


class Edge(Nginx):
    """An nginx in front of the same servers, whose configuration somebody has changed."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(web=[stack.web.port], ws=[stack.ws[0].port])

    def changed(self, file: str, before: str, after: str) -> "Edge":
        path = self.configuration / file
        text = path.read_text()
        assert before in text
        path.write_text(text.replace(before, after))
        return self

    def began(self) -> str:
        """Its address."""
        self.start()
        return f"http://127.0.0.1:{self.port}"


def test_a_site_where_all_is_well(stack: Stack) -> None:
    found = visit(stack, silence=1)
    assert (found.status, found.of("broken"), found.of("doubtful")) == (0, {}, {})
    assert {"page", "services", "upgrade", "origins", "forwarded headers", "time outs"} <= found.of("ok").keys()


def test_a_site_that_is_not_there(stack: Stack) -> None:
    visit(stack, f"http://127.0.0.1:{free_port()}").leads_to("reached", "Connection refused")
    visit(stack, "http://rooms.invalid").leads_to("reached", "rooms.invalid has no address", "DNS")
    visit(stack, stack.base_url.replace("http:", "https:")).leads_to("reached", "does not speak TLS")


def test_a_name_that_the_site_does_not_know(stack: Stack) -> None:
    found = visit(stack, stack.base_url.replace("127.0.0.1", "localhost"))
    found.leads_to("page", "does not know the name localhost", "ALLOWED_HOSTS=localhost")


@pytest.mark.parametrize(
    ("part", "check", "words"),
    [("web", "page", "reaches no server for pages"), ("ws", "upgrade", "reaches no server for sockets")],
)
def test_a_server_that_is_away(stack: Stack, edge: Edge, part: str, check: str, words: str) -> None:
    edge.lead_to(**{"web": [stack.web.port], "ws": [stack.ws[0].port]} | {part: [free_port()]})
    visit(stack, edge.began()).leads_to(check, words, f"docker compose logs {part}")


def test_a_proxy_that_passes_no_upgrades_on(stack: Stack, edge: Edge) -> None:
    edge.changed("proxy.conf", "proxy_set_header Upgrade $http_upgrade;", "")
    visit(stack, edge.began()).leads_to("upgrade", "arrives as no handshake", "proxy_set_header Upgrade $http_upgrade;")


def test_sockets_that_are_led_to_the_server_for_pages(stack: Stack, edge: Edge) -> None:
    edge.changed("site.conf", "proxy_pass http://ws;", "proxy_pass http://web;")
    visit(stack, edge.began()).leads_to("upgrade", "arrives as no handshake", "lead /ws/ to ws, not to web")


def test_a_proxy_that_hides_the_port(stack: Stack, edge: Edge) -> None:
    edge.changed("proxy.conf", "proxy_set_header Host $http_host;", "proxy_set_header Host $host;")
    visit(stack, edge.began()).leads_to("origins", "the server sees another one", "Host $http_host")


def test_a_proxy_that_hides_the_origin(stack: Stack, edge: Edge) -> None:
    edge.changed("proxy.conf", 'proxy_set_header Proxy "";', 'proxy_set_header Proxy ""; proxy_set_header Origin "";')
    visit(stack, edge.began()).leads_to("origins", "A page of any other site may open sockets here")


def test_a_proxy_that_believes_everybody(stack: Stack, edge: Edge) -> None:
    edge.believe("0.0.0.0/0")
    visit(stack, edge.began()).leads_to("forwarded headers", "Any client is believed")


def test_a_proxy_that_keeps_static_files_for_itself(stack: Stack, edge: Edge) -> None:
    edge.changed("site.conf", "location /static/ {", "location /static/ { return 404;")
    visit(stack, edge.began()).leads_to("page", "/static/", "collectstatic")


def test_a_proxy_without_patience(stack: Stack, edge: Edge) -> None:
    edge.changed("proxy.conf", "proxy_read_timeout 75s;", "proxy_read_timeout 1s;")
    visit(stack, edge.began(), silence=15).leads_to("time outs", "A silent socket was cut after 1 s", "75s")


def test_services_that_do_not_answer_the_servers(stack: Stack) -> None:
    stack.redis.stop()
    try:
        visit(stack).leads_to("services", "Redis does not answer", "docker compose logs redis")
    finally:
        stack.redis.start()


# --- TLS -------------------------------------------------------------------------------------------


def certificate(folder: Path, days: int) -> tuple[Path, Path]:
    """Of 127.0.0.1, by itself, ending in so many days."""
    folder.mkdir()
    folder.chmod(0o755)
    key, signed = folder / "key.pem", folder / "certificate.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(signed)]
    subprocess.run([*command, *subject, "-days", str(days)], check=True, capture_output=True)
    return key, signed


@pytest.fixture
def secure(stack: Stack, edge: Edge, tmp_path: Path) -> Callable[[int], dict[str, Any]]:
    """TLS with a certificate for so many days: the address, and whom the doctor trusts."""

    def secure(days: int) -> dict[str, Any]:
        key, signed = certificate(tmp_path / "tls", days)
        edge.changed("listen.conf", "default_server;", f"ssl; ssl_certificate {signed}; ssl_certificate_key {key};")
        return {"url": edge.began().replace("http:", "https:"), "SSL_CERT_FILE": str(signed)}

    return secure


def test_a_certificate_that_nobody_has_signed(stack: Stack, secure: Callable[[int], dict[str, Any]]) -> None:
    visit(stack, secure(30)["url"]).leads_to("reached", "is refused by browsers", "certbot renew")


def test_a_certificate_that_ends_soon(stack: Stack, secure: Callable[[int], dict[str, Any]]) -> None:
    found = visit(stack, **secure(5))
    assert "ends in 4 days" in found.of("doubtful")["reached"]
    assert found.status == 0, found


def test_a_site_that_redirects_to_itself_for_ever(
    image: Image, stack: Stack, edge: Edge, secure: Callable[[int], dict[str, Any]]
) -> None:
    """The servers have HTTPS=1, and the nginx that they believe does not say that it was asked by https."""
    ws = image.ws("https", stack.env | {"HTTPS": "1", "WS_SERVER": stack.ws[0].name.partition("-")[0]})
    ws.start()
    try:
        edge.lead_to(web=[ws.port], ws=[ws.port])
        edge.changed("proxy.conf", "X-Forwarded-Proto $client_scheme", "X-Forwarded-Proto http")
        visit(stack, **secure(30)).leads_to("page", "redirects to itself for ever", "X-Forwarded-Proto")
    finally:
        ws.kill()
