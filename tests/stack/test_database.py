"""Who may do what in the stack's Postgres, and what its log does not tell."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from client import enter, new_room
from stack.compose import CommandError, Stack, run, until
from visitor import Visitor

TROUBLE = Path(__file__).with_name("trouble.py").read_text()
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
OWNED = """
    SELECT count(*) FILTER (WHERE tableowner = 'rooms'), count(*) FROM pg_tables WHERE schemaname = 'public'
"""
POWERS = "rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls"


def test_the_log_names_all_trouble_and_repeats_nobodys_words(stack: Stack) -> None:
    words = f"words-of-{secrets.token_hex(8)}"
    stack.container("web").exec("env", f"WORDS={words}", "python", "manage.py", "shell", "-c", TROUBLE)
    for each in TOLD:
        until(lambda each=each: each in log(stack), f"line that says {each!r}")
    assert [line for line in log(stack).splitlines() if words in line] == []
    assert "] rooms command ERROR:" in log(stack), "who it was"


async def test_postgres_knows_its_clients_by_name(stack: Stack) -> None:
    async with await enter(stack.ws_url, new_room()) as alice:
        await alice.say("anything")
        Visitor(stack.base_url).get("/")
        assert clients(stack) >= {"rooms asgi", "rooms wsgi"}


def test_the_application_may_change_its_own_database_and_nothing_else(stack: Stack) -> None:
    postgres = stack.container("postgres").id
    assert psql(postgres, f"SELECT {POWERS} FROM pg_roles WHERE rolname = 'rooms'") == "f|f|f|f|f"
    theirs, all_of_them = psql(postgres, OWNED).split("|")
    assert theirs == all_of_them != "0"
    for sql in ("CREATE ROLE mallory", "SELECT pg_read_file('/etc/passwd')", "COPY (SELECT 1) TO PROGRAM 'true'"):
        with pytest.raises(CommandError):
            psql(postgres, sql, "rooms")
    assert psql(postgres, "CREATE SCHEMA own; DROP SCHEMA own; CREATE TABLE own (); DROP TABLE own", "rooms") == ""


def test_nobody_comes_in_as_the_superuser_by_network(stack: Stack) -> None:
    postgres = stack.container("postgres").id
    assert psql(postgres, "SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = 'postgres'") == "t"
    with pytest.raises(CommandError, match="password authentication failed"):
        over_network(postgres, "postgres", "SELECT 1")


def test_a_volume_whose_application_was_the_superuser_goes_on_with_one_that_is_not(old: "Volume") -> None:
    before = old.start(OLD_IMAGE, OLD)
    psql(
        before,
        "CREATE TABLE said (seq bigint GENERATED ALWAYS AS IDENTITY, body text);"
        "CREATE SCHEMA more; CREATE VIEW more.words AS SELECT body FROM said;"
        "INSERT INTO said (body) VALUES ('before')",
        "rooms",
    )
    assert psql(before, "SELECT rolsuper FROM pg_roles WHERE rolname = 'rooms'", "rooms") == "t"
    old.stop()

    after = old.start(f"{old.stack.project}-postgres", NEW)
    assert psql(after, f"SELECT {POWERS} FROM pg_roles WHERE rolname = 'rooms'") == "f|f|f|f|f"
    assert over_network(after, "rooms", "INSERT INTO said (body) VALUES ('after'); TABLE more.words") == "before\nafter"
    over_network(after, "rooms", "ALTER TABLE said ADD COLUMN more text; DROP SCHEMA more CASCADE; CREATE SCHEMA more")
    assert "rooms is the superuser: this becomes postgres" in old.printed()

    old.stop()
    old.start(f"{old.stack.project}-postgres", NEW)
    assert "making the roles" not in old.printed(), "once"


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


PSQL = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", "--dbname=rooms"]
PASSWORD = "/run/secrets/postgres_password"
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
        self.mounts = [f"--volume={self.name}:/var/lib/postgresql/data", f"--volume={self.password}:{PASSWORD}:ro"]
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


def psql(container: str, sql: str, user: str = "postgres") -> str:
    """By the container's own socket, as who administers it."""
    return run(["docker", "exec", "--interactive", container, *PSQL, f"--username={user}"], said=sql).strip()


def over_network(container: str, user: str, sql: str, password: str = "") -> str:
    """As the application comes in: with the password that is among the secrets."""
    password = password or run(["docker", "exec", container, "cat", PASSWORD])
    login = [f"--env=PGPASSWORD={password}", container, *PSQL, f"--username={user}", "--host=127.0.0.1"]
    return run(["docker", "exec", "--interactive", *login], said=sql).strip()


def log(stack: Stack) -> str:
    return logs(stack.container("postgres").id)


def logs(container: str) -> str:
    return run(["sh", "-c", f"docker logs {container} 2>&1"])


def clients(stack: Stack) -> set[str]:
    sql = "SELECT application_name FROM pg_stat_activity"
    return set(psql(stack.container("postgres").id, sql).splitlines())
