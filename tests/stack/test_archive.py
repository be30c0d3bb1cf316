"""docker/archive.yml: the conversation as it was at a moment is had again while people talk, and restored."""

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from client import enter, new_room
from stack.compose import CommandError, Stack, run
from stack.test_backup import identity, psql, quietly

__all__ = ["identity"]

# What it is made of, tests/integration/test_past.py tries every day.
pytestmark = pytest.mark.nightly

VOLUMES = ("docker", "volume", "ls", "--quiet")


@pytest.fixture(scope="module")
def archiving(stack: Stack, identity: Path) -> Iterator[Stack]:
    """The stack with the overlay, encrypted; afterwards without it."""
    (key,) = re.findall("public key: (.*)", identity.read_text())
    before = dict(stack.env)
    stack.env |= {"COMPOSE_FILE": "docker-compose.yml:docker/archive.yml", "ARCHIVE_KEY": key}
    stack.up()
    try:
        yield stack
    finally:
        stack.env = before
        stack.up()
        run(["docker", "volume", "rm", f"{stack.project}_archive"])


async def test_what_was_said_by_a_moment_comes_back_and_what_was_said_later_does_not(
    archiving: Stack, identity: Path
) -> None:
    stack, room = archiving, new_room()
    said = await asyncio.to_thread(quietly, stack, "make", "archive")
    assert "There is a way back to any moment since 20" in said
    async with await enter(stack.ws_url, room) as alice:
        await alice.say("before the mistake")
        moment = psql(stack, "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')")
        await alice.say("the mistake")
        arguments, volumes = (f"UNTIL={moment}", f"IDENTITY={identity}"), run(VOLUMES)
        said = await asyncio.to_thread(quietly, stack, "make", "backup", *arguments)
        await alice.say("meanwhile")
        epoch = alice.welcome["epoch"]
    file = stack.folder / said.splitlines()[-1]
    assert run(VOLUMES) == volumes

    await asyncio.to_thread(stack.compose, "stop", "nginx", "web", "ws")
    await asyncio.to_thread(quietly, stack, "make", "restore", f"FILE={file}")
    await asyncio.to_thread(stack.up)
    async with await enter(stack.ws_url, room, since=3, epoch=epoch) as bob:
        assert bob.bodies() == ["before the mistake"]
        assert bob.welcome["recovered"] is False
        await bob.say("and on it goes")
    doctor = stack.run(
        "docker", "compose", "run", "--rm", "--no-deps", "-T", "migrate", "python", "manage.py", "doctor"
    )
    assert "What Postgres writes is archived" in doctor


def test_an_encrypted_archive_needs_its_key(archiving: Stack) -> None:
    with pytest.raises(CommandError, match=r"The archive is encrypted: IDENTITY=.* There is no backup\.\n"):
        quietly(archiving, "make", "backup", "UNTIL=latest")


def test_without_an_archive_there_is_no_way_back(stack: Stack) -> None:
    moment = datetime.now(UTC).isoformat()
    with pytest.raises(CommandError, match=r"There is no archive: COMPOSE_FILE=docker-compose.yml:docker/archive.yml"):
        quietly(stack, "make", "backup", f"UNTIL={moment}", "COMPOSE_FILE=docker-compose.yml")
