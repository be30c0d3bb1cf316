"""`make swarm` on a real swarm of one machine: people talk through a new version, and none that fails takes over."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator

import pytest

from client import new_room
from ledger import Account, keep
from stack import migrations
from stack.compose import CommandError, run, until
from stack.conftest import need_engine, unable
from stack.swarm import Swarm
from stack.test_rollout import LOBBY, MIGRATION, put_back
from visitor import Visitor

pytestmark = pytest.mark.nightly  # minutes; each commit has tests/unit/docker/test_swarm.py

WS = 4


@pytest.fixture(scope="module")
def swarm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    need_engine()
    if run(["docker", "info", "--format", "{{.Swarm.LocalNodeState}}"]).strip() != "inactive":
        unable("This engine is in a swarm already: the tests make and leave one of their own.")
    swarm = Swarm(tmp_path_factory.mktemp("swarm"))
    with pytest.raises(CommandError, match="`docker swarm init` makes one"):
        swarm.bring()
    swarm.begin()
    try:
        print(swarm.bring())
        swarm.scale(ws=WS)
        swarm.env["REPLICAS"] = str(WS)
        yield swarm
    finally:
        print(run(["docker", "stack", "ps", "--no-trunc", swarm.project]))
        swarm.remove()


def test_what_runs_is_what_compose_says(swarm: Swarm) -> None:
    compose = json.loads(swarm.compose("config", "--format", "json"))["services"]
    for name in ("web", "ws", "nginx", "redis", "postgres"):
        host = json.loads(run(["docker", "inspect", swarm.tasks(name)[0]]))[0]["HostConfig"]
        asked = compose[name]
        assert host["ReadonlyRootfs"], name
        assert host["CapDrop"] == ["ALL"], name
        assert host["Init"], name
        assert host["Memory"] == int(asked["deploy"]["resources"]["limits"]["memory"]), name
        assert host["PidsLimit"] == asked["deploy"]["resources"]["limits"]["pids"], name
        assert [(each["Name"], each["Hard"]) for each in host["Ulimits"]] == [("nofile", 20000)], name
        assert host["LogConfig"]["Config"] == asked["logging"]["options"], name
        scratch = {mount["Target"] for mount in host["Mounts"] if mount["Type"] == "tmpfs"}
        assert {place.partition(":")[0] for place in asked["tmpfs"]} <= scratch, name
        assert swarm.specification(name)["StopGracePeriod"] == 30 * 10**9, name
    assert swarm.inside("redis", "ls", "/run/secrets").split() == ["redis.acl"]
    assert swarm.inside("web", "ls", "/run/secrets").split() == ["database_url", "redis_url", "secret_key"]


async def test_people_talk_through_a_new_version(swarm: Swarm) -> None:
    before = {id for name in ("web", "ws") for id in swarm.tasks(name)}
    kept = run(["docker", "secret", "ls", "--quiet"])
    migrations.add(swarm.folder, "tests_9001", MIGRATION.replace("{sql}", "CREATE TABLE second_edition (id integer)"))
    lobby = swarm.folder / LOBBY
    lobby.write_text(lobby.read_text().replace("</h1>", " (second edition)</h1>"))

    async def bring() -> None:
        print(await asyncio.to_thread(swarm.bring))

    account = await talk_through(swarm, bring)
    assert account.dials >= 8, "everybody had to come back"
    assert "(second edition)" in Visitor(swarm.base_url).get("/").text
    assert len(swarm.healthy("ws")) == WS
    assert not before & {id for name in ("web", "ws") for id in swarm.tasks(name)}
    assert run(["docker", "secret", "ls", "--quiet"]) == kept
    assert "[X] tests_9001" in swarm.inside("web", "python", "manage.py", "showmigrations", "rooms")


async def test_a_version_that_does_not_start_is_taken_back(swarm: Swarm) -> None:
    """The swarm does it by itself for the sockets; the pages, which do start, follow."""
    with put_back(swarm.folder / "app/config/asgi.py") as file:
        file.write_text(f"{file.read_text()}\nraise RuntimeError('something was forgotten')\n")
        await is_refused(swarm, "The new version does not become healthy")


async def test_a_version_whose_migration_fails_never_takes_over(swarm: Swarm) -> None:
    migration = migrations.add(swarm.folder, "tests_9002", MIGRATION.replace("{sql}", "SELECT 1/0"))
    await is_refused(swarm, "The migration was refused or has failed")
    migration.unlink()


async def test_a_task_that_is_killed_returns(swarm: Swarm) -> None:
    async def kill() -> None:
        victim = (await asyncio.to_thread(swarm.healthy, "ws"))[0]
        # By its first process, which no signal from inside ends.
        pid = run(["docker", "inspect", "--format", "{{.State.Pid}}", victim]).strip()
        os.kill(int(pid), signal.SIGKILL)
        await asyncio.to_thread(until, lambda: len(set(swarm.healthy("ws")) - {victim}) == WS, "another task", 120)

    await talk_through(swarm, kill)


async def is_refused(swarm: Swarm, says: str) -> None:
    before = {name: swarm.specification(name)["Image"] for name in ("web", "ws")}
    sockets = sorted(swarm.tasks("ws"))

    async def bring() -> None:
        with pytest.raises(CommandError) as failure:
            await asyncio.to_thread(swarm.bring)
        assert says in str(failure.value)
        assert "The old version goes on." in str(failure.value)

    account = await talk_through(swarm, bring)
    assert account.dials == 4, "nobody had to come back"
    assert {name: swarm.specification(name)["Image"] for name in ("web", "ws")} == before
    assert sorted(swarm.tasks("ws")) == sockets


async def talk_through(swarm: Swarm, what: object) -> Account:
    account = await keep(4 * [swarm.ws_url], new_room("ledger"), swarm, what)  # type: ignore[arg-type]
    print(account)
    assert account.faultless, account
    assert account.acked > 160
    return account
