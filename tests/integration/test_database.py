"""The database as alice names it: a schema of hers, a folder with a socket, a PgBouncer, or one that is not there."""

import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from client import enter, new_room
from servers import needed
from servers.app import Image, Server, environment
from servers.pgbouncer import PgBouncer
from servers.ports import free_port
from servers.postgres import Database, Postgres
from servers.process import Process
from servers.stack import SERVERS

SECONDS = 60
TABLES = "SELECT schemaname FROM pg_tables WHERE tablename LIKE 'rooms%%' GROUP BY schemaname"
Start = Callable[..., Server]


@pytest.fixture
def database(postgres: Postgres) -> str:
    return postgres.create_database(f"rooms-{secrets.token_hex(4)}")


@pytest.fixture
def start(image: Image) -> Iterator[Start]:
    """A server with these variables."""
    started: list[Process] = []

    def start(kind: str, wait: bool = True, **variables: str) -> Server:
        env = environment(WS_SERVER=kind, **variables) if kind in SERVERS else environment(**variables)
        server = image.ws(kind, env) if kind in SERVERS else image.web(env)
        started.append(server)
        server.launch()
        if wait:
            server.wait_ready()
        return server

    yield start
    for server in started:
        server.kill()


def do(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def says(server: Process, words: str) -> str:
    """What the server has printed, once the words are among it."""
    deadline = time.monotonic() + SECONDS
    while words not in server.output():
        assert time.monotonic() < deadline, f"no {words!r}:\n{server.output()}"
        assert server.alive, server.output()
        time.sleep(0.02)
    return server.output()


def command(image: Image, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        argv, cwd=image.app, env=environment(**variables), capture_output=True, text=True, timeout=SECONDS
    )


# --- What she says of it is kept -----------------------------------------------------------------


def test_the_tables_are_made_in_the_schema_that_she_names(image: Image, database: str) -> None:
    do(database, "CREATE SCHEMA chat")
    image.migrate(environment(DATABASE_URL=f"{database}?options={quote('-c search_path=chat')}"))
    assert Database(database).rows(TABLES) == [("chat",)]


@pytest.mark.parametrize("form", ["postgres://rooms:log@{}:{}/{}", "postgres://rooms:log@:{1}/{2}?host={0}"])
def test_a_folder_with_a_socket_leads_to_postgres(image: Image, postgres: Postgres, database: str, form: str) -> None:
    name = database.rpartition("/")[2]
    folder = Path(postgres.folder.name)
    folder.chmod(0o711)
    url = form.format(quote(str(folder), safe=""), postgres.port, name)
    done = command(image, "shell", "--no-imports", "--command", WHERE, DATABASE_URL=url)
    assert done.stdout.strip() == f"{folder} {name}", done.stderr


WHERE = """
from django.db import connection
connection.ensure_connection()
print(connection.connection.info.host, connection.connection.info.dbname)
"""


@pytest.mark.parametrize(("there", "then"), [("off", "on"), ("on", "on"), ("remote_apply", "remote_apply")])
def test_what_is_acknowledged_is_on_disk_whatever_the_servers_default(
    image: Image, database: str, there: str, then: str
) -> None:
    name = database.rpartition("/")[2]
    do(database, f'ALTER DATABASE "{name}" SET synchronous_commit = {there}')
    done = command(
        image,
        "shell",
        "--no-imports",
        "--command",
        SHOWN,
        DATABASE_URL=database,
        ROLE="wsgi",
        REDIS_URL="redis://nobody",
    )
    assert done.stdout.split() == [then, "10s"], done.stderr


SHOWN = """
from django.db import connection
with connection.cursor() as cursor:
    for name in ("synchronous_commit", "statement_timeout"):
        print(*cursor.execute(f"SHOW {name}").fetchone())
"""


# --- PgBouncer ---------------------------------------------------------------------------------------


@pytest.fixture(params=["session", "transaction"])
def pgbouncer(request: pytest.FixtureRequest, database: str) -> Iterator[PgBouncer]:
    needed.programs("pgbouncer")
    running = PgBouncer(database, request.param)
    running.start()
    yield running
    running.kill()


@pytest.mark.parametrize("kind", SERVERS)
async def test_people_talk_over_a_pgbouncer(image: Image, pgbouncer: PgBouncer, start: Start, kind: str) -> None:
    image.migrate(environment(DATABASE_URL=pgbouncer.url))
    server = start(kind, DATABASE_URL=pgbouncer.url)
    room = new_room()
    async with await enter(server.ws_url, room) as alice, await enter(server.ws_url, room) as bob:
        for number in range(20):
            await alice.say(f"{number}")
            await bob.hears(f"{number}")
    assert "Traceback" not in server.output()


def test_two_migrations_over_a_pgbouncer_take_turns_and_leave_no_lock(image: Image, pgbouncer: PgBouncer) -> None:
    env = environment(DATABASE_URL=pgbouncer.url)
    argv = [sys.executable, "manage.py", "migrate", "--noinput"]
    for _ in range(2):
        running = [subprocess.Popen(argv, cwd=image.app, env=env, stdout=subprocess.DEVNULL) for _ in range(3)]
        assert [each.wait(60) for each in running] == [0, 0, 0]
    assert Database(pgbouncer.url).rows("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'") == []


def test_what_pgbouncer_refuses_is_a_sentence(image: Image, pgbouncer: PgBouncer) -> None:
    done = command(image, "migrate", DATABASE_URL=f"{pgbouncer.url}?options=-csearch_path%3Dchat")
    assert done.returncode == 1
    assert done.stderr.startswith("DATABASE_URL: the database cannot be reached: ")
    assert "ALTER ROLE" in done.stderr
    assert done.stderr.count("\n") == 1


# --- One that cannot be reached --------------------------------------------------------------------


def wrong(postgres: Postgres) -> dict[str, str]:
    """Addresses that lead nowhere, by what is wrong with them."""
    right = f"127.0.0.1:{postgres.port}"
    return {
        "nobody listens": f"postgres://rooms:hunter2%2Fswordfish@127.0.0.1:{free_port()}/rooms",
        "password": f"postgres://rooms:hunter2%2Fswordfish@{right}/postgres",
        "name": f"postgres://rooms:log@{right}/no_such_database",
        "host": "postgres://rooms:hunter2%2Fswordfish@no-such-host.invalid/rooms",
        "folder": "sqlite:////no/such/folder/rooms.db",
    }


@pytest.mark.parametrize("what", ["nobody listens", "password", "name", "host", "folder"])
def test_a_command_ends_with_a_sentence(image: Image, postgres: Postgres, what: str) -> None:
    for arguments in (
        ["migrate", "--noinput"],
        ["createsuperuser", "--noinput", "--username=a", "--email=a@b.example"],
    ):
        done = command(image, *arguments, DATABASE_URL=wrong(postgres)[what])
        assert done.returncode == 1
        assert done.stderr.startswith("DATABASE_URL: the database cannot be reached: ")
        assert done.stderr.count("\n") == 1
        assert "hunter2" not in done.stderr
        assert "swordfish" not in done.stderr


@pytest.mark.parametrize("kind", [*SERVERS, "gunicorn"])
def test_a_server_says_the_sentence_and_serves_what_it_can(start: Start, postgres: Postgres, kind: str) -> None:
    redis = f"redis://:hunter2%2Fswordfish@127.0.0.1:{free_port()}/0"
    server = start(kind, wait=False, DATABASE_URL=wrong(postgres)["password"], REDIS_URL=redis)
    says(server, "DATABASE_URL: the database cannot be reached: ")
    said = says(server, f"REDIS_URL: Redis at {redis.rpartition('@')[2].removesuffix('/0')} cannot be reached: ")
    assert server.health("live") == 200
    assert "hunter2" not in said
    assert "swordfish" not in said


def test_a_fault_behind_an_open_connection_keeps_its_traceback(image: Image, database: str) -> None:
    done = command(
        image,
        "shell",
        "--no-imports",
        "--command",
        "from rooms.models import Room; Room.objects.count()",
        DATABASE_URL=database,
    )
    assert "Traceback" in done.stderr
