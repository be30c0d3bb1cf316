"""Who may do what in the stack's Postgres, and what its log does not tell."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from client import enter, new_room
from stack.compose import CommandError, Stack, run, until
from visitor import Visitor

TROUBLE = Path(__file__).with_name("trouble.py").read_text()
TROUBLED = "CREATE TABLE said (body text PRIMARY KEY, room integer NOT NULL CHECK (room < 9))"
TOLD = [
    "duplicate key value",
    "violates not-null constraint",
    "violates check constraint",
    "division by zero",
    "syntax error",
    "canceling statement due to statement timeout",
    "canceling statement due to lock timeout",
    "deadlock detected",
    "still waiting for ExclusiveLock",
    "terminating connection due to administrator command",
    "permission denied to set parameter",
]
OWNERS = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
POWERS = "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls FROM pg_roles"
# What needs no more of the database than the right to read and write rows, and all else that is often tried.
ROWS = "UPDATE topics_log SET name = name; DELETE FROM topics_read; SELECT count(*) > 0 FROM django_migrations"
FORBIDDEN = [
    "CREATE TABLE own ()",
    "CREATE TEMP TABLE own ()",
    "CREATE SCHEMA own",
    "CREATE FUNCTION own() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "ALTER TABLE topics_log ADD COLUMN own text",
    "CREATE INDEX ON topics_log (seq)",
    "DROP TABLE topics_read",
    "TRUNCATE topics_read",
    "ALTER DATABASE rooms RENAME TO own",
    "SET ROLE rooms_owner",
    "CREATE ROLE mallory",
    "SELECT pg_read_file('/etc/passwd')",
    "COPY (SELECT 1) TO PROGRAM 'true'",
]
OWN = "CREATE SCHEMA own; DROP SCHEMA own; CREATE TABLE own (); TRUNCATE own; ALTER TABLE own ADD a int; DROP TABLE own"


def test_the_log_names_all_trouble_and_repeats_nobodys_words(stack: Stack) -> None:
    words = f"words-of-{secrets.token_hex(8)}"
    postgres = stack.container("postgres").id
    psql(postgres, TROUBLED, "rooms_owner")
    try:
        stack.container("web").exec("env", f"WORDS={words}", "python", "manage.py", "shell", "-c", TROUBLE)
    finally:
        psql(postgres, "DROP TABLE said", "rooms_owner")
    for each in TOLD:
        until(lambda each=each: each in log(stack), f"line that says {each!r}")
    assert [line for line in log(stack).splitlines() if words in line] == []
    assert "] rooms command ERROR:" in log(stack), "who it was"


async def test_postgres_knows_its_clients_by_name(stack: Stack) -> None:
    async with await enter(stack.ws_url, new_room()) as alice:
        await alice.say("anything")
        Visitor(stack.base_url).get("/")
        assert clients(stack) >= {"rooms asgi", "rooms wsgi"}


def test_the_servers_may_read_and_write_rows_and_nothing_else(stack: Stack) -> None:
    postgres = stack.container("postgres").id
    psql(postgres, ROWS, "rooms")
    for sql in FORBIDDEN:
        with pytest.raises(CommandError, match=r"permission denied|must be "):
            psql(postgres, sql, "rooms")


def test_the_owner_may_change_the_database_and_nothing_of_the_server(stack: Stack) -> None:
    postgres = stack.container("postgres").id
    assert psql(postgres, OWNERS) == "rooms_owner"
    assert psql(postgres, f"{POWERS} WHERE rolname IN ('rooms', 'rooms_owner')").split() == ["f", "f"]
    assert over_network(postgres, "rooms_owner", OWN) == ""
    for sql in FORBIDDEN[-3:]:
        with pytest.raises(CommandError):
            psql(postgres, sql, "rooms_owner")


def test_the_servers_do_not_know_how_to_come_in_as_the_owner(stack: Stack) -> None:
    for server in stack.containers("web", "ws"):
        for name in ("migrate_database_url", "postgres_owner_password"):
            with pytest.raises(CommandError, match="Permission denied"):
                server.exec("cat", f"/run/secrets/{name}")


def test_commands_beside_the_servers_need_no_more_than_they_may(stack: Stack) -> None:
    web = stack.container("web")
    for command in ("prune", "clearsessions", "check", "axes_reset", "showmigrations"):
        web.exec("python", "manage.py", command)
    with pytest.raises(CommandError, match="Only the tables' owner may change them"):
        web.exec("python", "manage.py", "migrate", "sessions", "zero")
    assert "ok        rights:" in stack.run("make", "doctor", "STACK=1")


def test_nobody_comes_in_as_the_superuser_by_network(stack: Stack) -> None:
    postgres = stack.container("postgres").id
    assert psql(postgres, "SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = 'postgres'") == "t"
    with pytest.raises(CommandError, match="password authentication failed"):
        over_network(postgres, "postgres", "SELECT 1")


def test_a_volume_whose_servers_owned_everything_goes_on_with_ones_that_own_nothing(old: "Volume") -> None:
    before = old.start(OLD_IMAGE, NEW)
    psql(before, "CREATE ROLE rooms LOGIN PASSWORD 'the first one'; ALTER DATABASE rooms OWNER TO rooms")
    psql(before, SAID, "rooms")
    psql(before, "CREATE DATABASE rooms_replaced OWNER rooms TEMPLATE rooms")
    old.stop()

    after = old.start(f"{old.stack.project}-postgres", NEW)
    is_taken_over(after)
    assert psql(after, OWNERS, database="rooms_replaced") == "rooms_owner"
    assert psql(after, "TABLE said", "rooms", database="rooms_replaced") == "1|before"

    old.stop()
    old.start(f"{old.stack.project}-postgres", NEW)
    assert "making the roles" not in old.printed(), "once"


def test_a_volume_whose_application_was_the_superuser_goes_on_with_one_that_is_not(old: "Volume") -> None:
    before = old.start(OLD_IMAGE, OLD)
    psql(before, SAID, "rooms")
    assert psql(before, "SELECT rolsuper FROM pg_roles WHERE rolname = 'rooms'", "rooms") == "t"
    old.stop()

    after = old.start(f"{old.stack.project}-postgres", NEW)
    is_taken_over(after)
    assert "rooms is the superuser: this becomes postgres" in old.printed()


def is_taken_over(postgres: str) -> None:
    assert psql(postgres, f"{POWERS} WHERE rolname IN ('rooms', 'rooms_owner')").split() == ["f", "f"]
    assert (
        over_network(postgres, "rooms", "INSERT INTO said (body) VALUES ('after'); TABLE more.words") == "before\nafter"
    )
    with pytest.raises(CommandError, match="must be owner"):
        over_network(postgres, "rooms", "ALTER TABLE said ADD COLUMN more text")
    over_network(postgres, "rooms_owner", "ALTER TABLE said ADD COLUMN more text; DROP SCHEMA more CASCADE")
    over_network(postgres, "rooms_owner", "CREATE SCHEMA more; CREATE TABLE more.words (id serial, word text)")
    assert over_network(postgres, "rooms", "INSERT INTO more.words (word) VALUES ('new'); TABLE more.words") == "1|new"


def test_a_new_password_among_the_secrets_is_the_one_that_holds(old: "Volume") -> None:
    image = f"{old.stack.project}-postgres"
    old.start(image, NEW)
    old.stop()
    old.password.write_text("another one")
    after = old.start(image, NEW)
    assert over_network(after, "rooms", "SELECT 'welcome'") == "welcome"
    with pytest.raises(CommandError, match="password authentication failed"):
        over_network(after, "rooms", "SELECT 1", "the first one")


def test_a_volume_that_takes_no_new_roles_is_served_as_it_is(old: "Volume") -> None:
    before = old.start(OLD_IMAGE, OLD)
    psql(before, "CREATE ROLE postgres", "rooms")
    old.stop()
    after = old.start(f"{old.stack.project}-postgres", NEW)
    assert over_network(after, "rooms", "SELECT 'welcome'") == "welcome"
    assert "The roles cannot be made" in old.printed()


def test_data_of_another_version_are_said_with_what_to_do_and_nothing_starts_again_and_again(old: "Volume") -> None:
    image = f"{old.stack.project}-postgres"
    old.start(image, NEW)
    old.stop()
    with pytest.raises(CommandError, match=r"has the data of Postgres \d+, and this is 99.* `make backup`, then"):
        run(["docker", "run", "--rm", "--env=PG_MAJOR=99", *old.mounts, image, "check"])
    run(["docker", "run", "--rm", *old.mounts, image, "check"])

    waits = ["docker", "run", "--detach", "--init", "--restart=always", "--env=PG_MAJOR=99", *old.mounts, image]
    old.container = run(waits).strip()
    until(lambda: "this is 99" in old.printed(), "sentence in the log")
    run(["docker", "stop", "--time", "60", old.container])
    state = "{{.RestartCount}} {{.State.ExitCode}}"
    assert run(["docker", "inspect", "--format", state, old.container]).split() == ["0", "0"]


PSQL = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]
PASSWORD, OWNERS_PASSWORD = "/run/secrets/postgres_password", "/run/secrets/postgres_owner_password"
SAID = """
    CREATE TABLE said (seq bigint GENERATED ALWAYS AS IDENTITY, body text);
    CREATE SCHEMA more; CREATE VIEW more.words AS SELECT body FROM said;
    INSERT INTO said (body) VALUES ('before');
"""
OLD_IMAGE = "postgres:17-trixie"
OLD = {
    "POSTGRES_USER": "rooms",
    "POSTGRES_DB": "rooms",
    "POSTGRES_PASSWORD_FILE": PASSWORD,
    "POSTGRES_INITDB_ARGS": "--auth-host=scram-sha-256",
}
NEW = OLD | {"POSTGRES_USER": "postgres"}


class Volume:
    """A data folder that containers have, one after another."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack, self.name, self.password = stack, f"{stack.project}-old", folder / "password"
        self.password.write_text("the first one")
        (folder / "owner").write_text("of the owner")
        self.mounts = [f"--volume={self.name}:/var/lib/postgresql/data", f"--volume={self.password}:{PASSWORD}:ro"]
        self.mounts.append(f"--volume={folder / 'owner'}:{OWNERS_PASSWORD}:ro")
        self.container = ""

    def start(self, image: str, env: dict[str, str]) -> str:
        """The container, once it answers by network."""
        settings = [f"--env={name}={value}" for name, value in env.items()]
        command = ["docker", "run", "--detach", "--network=none", "--user=999:999", *settings, *self.mounts, image]
        self.container = run(command).strip()
        ready = ["docker", "exec", self.container, "pg_isready", "--host=127.0.0.1"]
        until(lambda: answers(ready), "Postgres", 180)
        return self.container

    def stop(self) -> None:
        run(["docker", "stop", self.container])
        run(["docker", "rm", self.container])
        self.container = ""

    def printed(self) -> str:
        return logs(self.container)


@pytest.fixture
def old(stack: Stack, tmp_path: Path) -> Iterator[Volume]:
    volume = Volume(stack, tmp_path)
    yield volume
    if volume.container:
        print(volume.printed())
        run(["docker", "rm", "--force", volume.container])
    run(["docker", "volume", "rm", "--force", volume.name])


def answers(command: list[str]) -> bool:
    try:
        run(command)
    except CommandError:
        return False
    return True


def psql(container: str, sql: str, user: str = "postgres", database: str = "rooms") -> str:
    """By the container's own socket, as who administers it."""
    login = [f"--username={user}", f"--dbname={database}"]
    return run(["docker", "exec", "--interactive", container, *PSQL, *login], said=sql).strip()


def over_network(container: str, user: str, sql: str, password: str = "") -> str:
    """As the application comes in: with the password that is among the secrets."""
    file = OWNERS_PASSWORD if user == "rooms_owner" else PASSWORD
    password = password or run(["docker", "exec", container, "cat", file])
    login = [
        f"--env=PGPASSWORD={password}",
        container,
        *PSQL,
        f"--username={user}",
        "--dbname=rooms",
        "--host=127.0.0.1",
    ]
    return run(["docker", "exec", "--interactive", *login], said=sql).strip()


def log(stack: Stack) -> str:
    return logs(stack.container("postgres").id)


def logs(container: str) -> str:
    return run(["sh", "-c", f"docker logs {container} 2>&1"])


def clients(stack: Stack) -> set[str]:
    sql = "SELECT application_name FROM pg_stat_activity"
    return set(psql(stack.container("postgres").id, sql).splitlines())
