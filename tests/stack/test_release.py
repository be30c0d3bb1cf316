"""The version before, as the history has it, is rolled out to this one while people talk, and loses nothing."""

import asyncio
import shutil
from collections.abc import Iterator

import pytest

from client import enter, new_room
from stack.compose import ROOT, CommandError, Stack, copy_repository, run
from stack.conftest import start
from stack.test_rollout import asked, talk_through

pytestmark = pytest.mark.nightly  # each commit has test_rollout, from a database as the version before left it

# The first commit of this file is of the first version whose servers own no tables.
FIRST_WITH_TWO_ROLES = ["git", "log", "--diff-filter=A", "--format=%H", "--", "docker/postgres/rights.sql"]


def version_before() -> str:
    """The newest release; while there is none, the last version whose servers owned the tables; else this one."""
    if tags := run(["git", "tag", "--list", "v*", "--sort=-version:refname"], ROOT).split():
        return tags[0]
    for commit in run(FIRST_WITH_TWO_ROLES, ROOT).split()[-1:]:
        try:
            return run(["git", "rev-parse", "--verify", "--quiet", f"{commit}^"], ROOT).strip()
        except CommandError:
            break  # a clone without its history
    return "HEAD"


@pytest.fixture
def released(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of the version before."""
    stack = Stack(tmp_path_factory.mktemp("released"))
    empty(stack)
    run(["sh", "-c", f'git archive "{version_before()}" | tar -x -C "$0"', str(stack.folder)], ROOT)
    try:
        start(stack)
        yield stack
    finally:
        empty(stack)
        copy_repository(stack.folder)
        stack.remove()


def empty(stack: Stack) -> None:
    for path in stack.folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


async def test_the_version_before_is_rolled_out_to_this_one_while_people_talk(released: Stack) -> None:
    room = new_room()
    async with await enter(released.ws_url, room) as alice:
        await alice.say("by the version before")
    empty(released)
    copy_repository(released.folder)

    async def rollout() -> None:
        print(await asyncio.to_thread(released.run, "bash", "-c", "make rollout 2>&1"))

    await talk_through(released, rollout)
    async with await enter(released.ws_url, room) as alice:
        assert alice.bodies() == ["by the version before"]
        await alice.say("by this one")
    assert asked(released, "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'") == "rooms_owner"
    everybody = released.ids()
    await asyncio.to_thread(released.up)
    assert released.ids() == everybody, "and nothing is left for the next `docker compose up`"
