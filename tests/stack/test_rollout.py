"""`make rollout` replaces the application while people talk, and a version that does not work never takes over."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from client import new_room
from ledger import Account, keep
from stack import migrations, one_role
from stack.compose import CommandError, Stack, run
from visitor import Visitor

SINGLE = ("nginx", "redis", "postgres")
LOBBY = "app/rooms/templates/rooms/lobby.html"
MIGRATION = """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("rooms", "{after}")]
    operations = [migrations.RunSQL("{sql}")]
"""


async def test_people_talk_through_a_rollout_of_everything(stack: Stack) -> None:
    """From the version before, whose servers owned the tables, to this one's successor."""
    one_role.hand_back(stack)
    before, single = application(stack), stack.ids(*SINGLE)
    (stack.folder / "docker/redis/redis.conf").open("a").write("hz 11\n")
    (stack.folder / "docker/postgres/postgresql.conf").open("a").write("work_mem = 5MB\n")
    site = stack.folder / "nginx/site.conf"
    site.write_text(
        site.read_text().replace("include listen.conf;", "include listen.conf; add_header X-New yes always;")
    )
    write_migration(stack, "tests_9001", "CREATE TABLE second_edition (id integer)")
    lobby = stack.folder / LOBBY
    lobby.write_text(lobby.read_text().replace("</h1>", " (second edition)</h1>"))
    assert "(second edition)" not in page(stack)

    said: list[str] = []

    async def rollout() -> None:
        said.append(await asyncio.to_thread(stack.run, "bash", "-c", "make rollout 2>&1"))

    account = await talk_through(stack, rollout)
    assert account.dials >= 8, "everybody had to come back"
    costs = [line for line in said[0].splitlines() if line.startswith("rollout: replacing")]
    assert [line.split()[2] for line in costs] == ["redis:", "postgres:"]
    assert {name: id for name, id in single.items() if stack.ids(*SINGLE)[name] == id}.keys() == {"nginx-1"}
    assert stack.container("redis").exec("grep", "^hz", "/etc/redis/redis.conf") == "hz 11\n"
    assert asked(stack, "SHOW work_mem") == "5MB"
    assert Visitor(stack.base_url).get("/").headers["X-New"] == "yes"
    assert "(second edition)" in page(stack)
    owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
    assert asked(stack, owners) == "rooms_owner"
    assert "[X] tests_9001" in stack.container("web").exec("python", "manage.py", "showmigrations", "rooms")
    after = application(stack)
    assert [service for service, _ in after] == [service for service, _ in before]
    assert not set(after) & set(before)

    everybody = stack.ids()
    stack.up()
    assert stack.ids() == everybody, "and nothing is left for the next `docker compose up`"


@pytest.mark.parametrize(
    ("name", "line", "says"),
    [
        ("app/Dockerfile", "RUN false", "The new version cannot be built."),
        ("app/config/asgi.py", "raise RuntimeError('something was forgotten')", "does not become healthy."),
    ],
    ids=["not built", "not started"],
)
async def test_a_version_that_does_not_work_never_takes_over(stack: Stack, name: str, line: str, says: str) -> None:
    with put_back(stack.folder / name) as file:
        file.write_text(f"{file.read_text()}\n{line}\n")
        await is_refused(stack, says)


async def test_a_version_whose_migration_fails_never_takes_over(stack: Stack) -> None:
    migration = write_migration(stack, "tests_9002", "SELECT 1/0")
    await is_refused(stack, "The migration failed.")
    migration.unlink()


def test_a_migration_that_the_old_version_could_not_live_with_is_refused_before_anything_is_touched(
    stack: Stack,
) -> None:
    before = application(stack)
    migration = write_migration(stack, "tests_9003", "ALTER TABLE rooms_opened DROP COLUMN created_at")
    with pytest.raises(CommandError) as failure:
        stack.run("make", "rollout")
    migration.unlink()
    assert "rooms.tests_9003, “Raw SQL operation”: the version that serves reads and writes the column." in str(
        failure.value
    )
    assert "Nothing was changed." in str(failure.value)
    assert "migrating" not in str(failure.value)
    assert application(stack) == before


async def is_refused(stack: Stack, says: str) -> None:
    """Nobody notices a rollout that fails, and it leaves nothing behind."""
    before, image = application(stack), image_by_name(stack)

    async def rollout() -> None:
        with pytest.raises(CommandError) as failure:
            await asyncio.to_thread(stack.run, "make", "rollout")
        assert says in str(failure.value)
        assert "The old version goes on." in str(failure.value)

    account = await talk_through(stack, rollout)
    assert account.dials == 4, "nobody had to come back"
    assert application(stack) == before
    assert image_by_name(stack) == image, "or the next `docker compose up` would start what has failed"


async def talk_through(stack: Stack, rollout: Callable[[], Awaitable[None]]) -> Account:
    account = await keep(4 * [stack.ws_url], new_room("ledger"), stack, rollout)
    print(account)
    assert account.faultless, account
    assert account.acked > 160
    return account


def application(stack: Stack) -> list[tuple[str, str]]:
    """Service and id of each container of the application."""
    return sorted((container.service, container.id) for container in stack.containers("web", "ws"))


def asked(stack: Stack, sql: str) -> str:
    ask = ["psql", "--username=postgres", "--dbname=rooms", "--tuples-only", "--no-align", "--command", sql]
    return stack.container("postgres").exec(*ask).strip()


def image_by_name(stack: Stack) -> str:
    return run(["docker", "image", "inspect", "--format", "{{.Id}}", f"{stack.project}-app"])


def page(stack: Stack) -> str:
    return Visitor(stack.base_url).get("/").text


def write_migration(stack: Stack, name: str, sql: str) -> Path:
    return migrations.add(stack.folder, name, MIGRATION.replace("{sql}", sql))


@contextmanager
def put_back(file: Path) -> Iterator[Path]:
    """The file, which is afterwards as it was before."""
    text = file.read_text()
    yield file
    file.write_text(text)
