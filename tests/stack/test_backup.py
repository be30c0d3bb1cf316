"""`make backup` while people talk, and `make restore`: everything is there again, or nothing has changed."""

import asyncio
import base64
import gzip
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from client import Socket, enter, new_room
from stack.compose import CommandError, Stack, run
from visitor import Visitor

ONE_OFF = ("docker", "compose", "run", "--rm", "--no-deps", "-T")


class Talk:
    """What alice said before the backup and after it, and who she is."""

    def __init__(self, stack: Stack) -> None:
        self.room = new_room("茶馆")
        self.alice = Visitor(stack.base_url)
        self.alice.post("/name/", {"name": "爱丽丝"})
        self.file, self.said = Path(), ""
        self.epoch, self.seq = "", 0

    async def enter(self, stack: Stack, **query: object) -> Socket:
        return await enter(stack.ws_url, self.room, headers=self.alice.cookies, **query)

    async def is_back(self, stack: Stack) -> None:
        """What was said since is gone, and who remembers it starts over."""
        async with await self.enter(stack, since=self.seq, epoch=self.epoch) as alice:
            assert alice.bodies() == ["before the backup", "while it is made"]
            assert alice.welcome["recovered"] is False
            assert alice.welcome["epoch"] != self.epoch
            assert (alice.welcome["you"]["name"], alice.welcome["you"]["guest"]) == ("爱丽丝", True)
            await alice.say("and on it goes")


@pytest.fixture(scope="module")
def identity(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The secret key of age, made as docs/operate.md says."""
    quietly(stack, "docker", "compose", "--profile", "backup", "build", "backup")
    file = tmp_path_factory.mktemp("key") / "rooms.key"
    file.write_text(stack.run(*ONE_OFF, "--entrypoint", "age-keygen", "backup"))
    file.chmod(0o600)
    return file


@pytest.fixture(scope="module")
def talk(stack: Stack, identity: Path) -> Talk:
    """A backup, encrypted, that was made while alice talked."""
    (key,) = re.findall("public key: (.*)", identity.read_text())
    return asyncio.run(talked(Talk(stack), stack, f"KEY={key}"))


async def talked(talk: Talk, stack: Stack, *arguments: str) -> Talk:
    async with await talk.enter(stack) as alice:
        await alice.say("before the backup")
        await alice.say("while it is made")
        talk.said = await asyncio.to_thread(quietly, stack, "make", "backup", *arguments)
        await alice.say("after the backup")
        talk.file = stack.folder / talk.said.splitlines()[-1]
        talk.epoch, talk.seq = alice.welcome["epoch"], 3
    return talk


@pytest.fixture
def empty(stack: Stack, tmp_path: Path) -> Iterator[Stack]:
    """A new installation from the same commit, of which nothing has been started."""
    other = Stack(tmp_path)
    try:
        yield other
    finally:
        other.remove()


def quietly(stack: Stack, *command: str) -> str:
    """All that it said; CommandError when it fails."""
    return stack.run("bash", "-c", '"$@" 2>&1', "-", *command)


@pytest.fixture
def silence(stack: Stack) -> Iterator[None]:
    """The servers are stopped, Postgres and Redis run; afterwards everything does."""
    stack.compose("stop", "nginx", "web", "ws")
    try:
        yield
    finally:
        stack.up()


def refused(stack: Stack, *arguments: str) -> str:
    """The sentence that a restore is refused by."""
    with pytest.raises(CommandError) as failure:
        quietly(stack, "make", "restore", *arguments)
    said = [line for line in str(failure.value).splitlines() if line.startswith("restore: ")]
    assert [line for line in said if "Nothing was changed." in line] == said[-1:]
    return said[-1]


def everything(stack: Stack) -> list[str]:
    """Databases, the epochs in the one that serves, and the key."""
    key = stack.run(*ONE_OFF, "--entrypoint", "cat", "secrets", "/run/secrets/secret_key")
    return [psql(stack, "SELECT oid, datname FROM pg_database ORDER BY 1", "postgres"), psql(stack, EPOCHS), key]


EPOCHS = "SELECT name, epoch, seq FROM topics_log ORDER BY 1"


def psql(stack: Stack, sql: str, database: str = "rooms") -> str:
    command = ["psql", "--username=postgres", "--no-align", "--tuples-only", f"--dbname={database}", "--command", sql]
    return stack.container("postgres").exec(*command).strip()


# --- the backup ---


async def test_a_backup_is_one_file_of_its_owner_and_says_what_is_in_it(stack: Stack, talk: Talk) -> None:
    assert talk.file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in talk.file.parent.iterdir()] == [talk.file.name]
    assert re.fullmatch(rf"{stack.project}-\d{{8}}T\d{{6}}Z-\w+\.backup\.age", talk.file.name)
    assert re.search(r"backup: [\d,]+ rows in \d+ tables, [\d,]+ topics", talk.said)


def test_nobody_reads_an_encrypted_backup_without_its_key(talk: Talk) -> None:
    assert talk.file.read_bytes().startswith(b"age-encryption.org/v1\n")
    assert b"PGDMP" not in talk.file.read_bytes()


def test_a_disk_that_is_too_small_is_said_before_anything_is_written(stack: Stack, identity: Path) -> None:
    with pytest.raises(CommandError, match=r"has 5 KB free, and the rows alone take .* DIR=path puts"):
        stack.run(*ONE_OFF, "backup", "make", "--free", "5000")


def test_a_key_that_is_none_makes_no_backup(stack: Stack, talk: Talk) -> None:
    with pytest.raises(CommandError, match=r"age does not take this key .* There is no backup\.\n"):
        quietly(stack, "make", "backup", "KEY=age1nonsense")
    assert [path.name for path in talk.file.parent.iterdir()] == [talk.file.name]


# --- the restore ---


def test_a_stack_that_runs_is_refused_with_what_to_do(stack: Stack, talk: Talk, identity: Path) -> None:
    said = refused(stack, f"FILE={talk.file}", f"IDENTITY={identity}")
    assert "The stack is running" in said
    assert "`docker compose stop nginx web ws`" in said


@pytest.mark.usefixtures("silence")
def test_somebody_else_who_has_the_database_open_is_noticed(stack: Stack, talk: Talk, identity: Path) -> None:
    command = ["docker", "exec", "--interactive", stack.container("postgres").id, "psql", "-U", "rooms", "rooms"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin
        assert other.stdout
        other.stdin.write("SELECT 'is in';\n")
        other.stdin.flush()
        while "is in" not in other.stdout.readline():
            assert other.poll() is None
        assert "1 connections to the database are open" in refused(stack, f"FILE={talk.file}", f"IDENTITY={identity}")
        other.stdin.close()


@pytest.mark.usefixtures("silence")
def test_a_file_that_is_not_what_was_written_changes_nothing(stack: Stack, talk: Talk, identity: Path) -> None:
    before = everything(stack)
    whole, key, file = talk.file.read_bytes(), f"IDENTITY={identity}", talk.file.with_name("wrong")
    stranger = identity.with_name("stranger.key")
    stranger.write_text(stack.run(*ONE_OFF, "--entrypoint", "age-keygen", "backup"))
    mounts = [f"--volume={talk.file}:/file:ro", f"--volume={identity}:/key:ro"]
    as_root = ["docker", "run", "--rm", "--network=none", "--user=0", *mounts, "--entrypoint=sh"]
    plain = run([*as_root, f"{stack.project}-backup", "-c", "age -d -i /key /file | base64 -w0"])
    opened = base64.b64decode(plain)
    middle = opened.index(b"PGDMP") + 4000
    for content, arguments, sentence in [
        (b"", [], "This is no backup of this stack."),
        (gzip.compress(b"some other file"), [], "This is no backup of this stack."),
        (whole, [], "The backup is encrypted: IDENTITY="),
        (whole, [f"IDENTITY={stranger}"], "encrypted to another key than IDENTITY's."),
        (whole, [f"IDENTITY={stack.folder}/README.md"], "IDENTITY is no secret key"),
        (whole[:-3000], [key], "cut or damaged"),
        (whole[:-9000] + b"x" + whole[-8999:], [key], "cut or damaged"),
        (opened[:-15_000], [], "cut or damaged"),
        (opened[:middle] + bytes([opened[middle] ^ 1]) + opened[middle + 1 :], [], "is damaged"),
    ]:
        file.write_bytes(content)
        assert sentence in refused(stack, f"FILE={file}", *arguments)
    assert everything(stack) == before
    file.unlink()


async def test_in_a_stopped_stack_what_was_said_is_back_and_what_it_replaced_can_be(
    stack: Stack, talk: Talk, identity: Path
) -> None:
    await asyncio.to_thread(stack.compose, "stop", "nginx", "web", "ws")
    said = await asyncio.to_thread(quietly, stack, "make", "restore", f"FILE={talk.file}", f"IDENTITY={identity}")
    assert "the database before is rooms_replaced" in said
    await asyncio.to_thread(stack.up)
    await talk.is_back(stack)
    after = "SELECT count(*) FROM topics_entry WHERE data LIKE '%after the backup%'"
    assert (psql(stack, after), psql(stack, after, "rooms_replaced")) == ("0", "1")


async def test_an_empty_stack_takes_over_all_and_the_key_that_belongs_to_it(
    talk: Talk, identity: Path, empty: Stack
) -> None:
    await asyncio.to_thread(quietly, empty, "make", "restore", f"FILE={talk.file}", f"IDENTITY={identity}")
    assert empty.compose("ps", "--status", "running", "--quiet") == ""
    await asyncio.to_thread(empty.run, "make", "up")
    assert psql(empty, "SELECT count(*) FROM pg_database WHERE datname LIKE 'rooms\\_%'") == "0"
    await talk.is_back(empty)


async def test_a_backup_of_a_stack_that_is_stopped_wakes_postgres_only(stack: Stack, talk: Talk) -> None:
    stack.compose("stop")
    try:
        said = await asyncio.to_thread(quietly, stack, "make", "backup", "DIR=here")
        assert stack.compose("ps", "--status", "running", "--quiet") == ""
        assert (stack.folder / said.splitlines()[-1]).is_file()
    finally:
        await asyncio.to_thread(stack.up)
