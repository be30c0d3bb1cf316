"""A backup of one major version of Postgres is restored by the next one, and people go on talking."""

import asyncio
import shutil
from pathlib import Path

import pytest

from client import enter, new_room
from stack.compose import CommandError, Stack, run
from stack.test_backup import empty, psql, quietly

__all__ = ["empty"]

NEWER = "postgres:18-trixie"
STAND_IN = Path(__file__).parent / "images/postgres"
# What the official image of 18 does otherwise than that of 17, and where a stand-in finds it.
CHANGES = {
    "postgresql-17": "postgresql-18",
    "/postgresql/17/": "/postgresql/18/",
    "PG_MAJOR=17": "PG_MAJOR=18",
    "PGDATA=/var/lib/postgresql/data": "PGDATA=/var/lib/postgresql/18/docker",
    "VOLUME /var/lib/postgresql/data": "VOLUME /var/lib/postgresql",
    " /var/lib/postgresql /var/lib/postgresql/data": " /var/lib/postgresql",
    " && apt-get update": " && sed -i 's/trixie/forky/' /etc/apt/sources.list"
    " && echo 'Acquire::Check-Valid-Until \"false\";' >/etc/apt/apt.conf.d/forky && apt-get update",
}


@pytest.fixture(scope="module")
def newer_image(engine: None, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The official one, or a stand-in where none can be pulled."""
    try:
        run(["docker", "image", "inspect", NEWER])
    except CommandError:
        try:
            run(["timeout", "300", "docker", "pull", "--quiet", NEWER])
        except CommandError:
            build_stand_in(tmp_path_factory.mktemp("image") / "postgres")
    return NEWER


def build_stand_in(folder: Path) -> None:
    shutil.copytree(STAND_IN, folder)
    text = (folder / "Dockerfile").read_text()
    for old, new in CHANGES.items():
        assert old in text, old
        text = text.replace(old, new)
    (folder / "Dockerfile").write_text(text)
    run(["docker", "build", "--tag", NEWER, str(folder)])


async def test_the_next_major_version_takes_over_by_backup_and_restore(
    stack: Stack, empty: Stack, newer_image: str
) -> None:
    room = new_room()
    async with await enter(stack.ws_url, room) as alice:
        await alice.say("said to the old one")
    said = await asyncio.to_thread(quietly, stack, "make", "backup")
    file = stack.folder / said.splitlines()[-1]

    dockerfile = empty.folder / "docker/postgres/Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace("FROM postgres:17-trixie", f"FROM {newer_image}"))
    await asyncio.to_thread(quietly, empty, "make", "restore", f"FILE={file}")
    await asyncio.to_thread(empty.run, "make", "up")
    assert psql(empty, "SHOW server_version").startswith("18")
    async with await enter(empty.ws_url, room) as bob:
        assert bob.bodies() == ["said to the old one"]
        await bob.say("said to the new one")

    newest = await asyncio.to_thread(quietly, empty, "make", "backup")
    file = empty.folder / newest.splitlines()[-1]
    await asyncio.to_thread(stack.compose, "stop", "nginx", "web", "ws")
    with pytest.raises(CommandError, match="was made by Postgres 18, and this is 17"):
        await asyncio.to_thread(quietly, stack, "make", "restore", f"FILE={file}")
    await asyncio.to_thread(stack.up)
