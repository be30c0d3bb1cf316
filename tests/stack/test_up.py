"""`make up`, again and again: what has not changed goes on, what cannot work is refused, what died comes back."""

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from client import enter, new_room
from stack.compose import SERVERS, CommandError, Stack, run, until
from visitor import Visitor

SITE = "nginx/site.conf"
HEADER = "add_header X-Edition second always;"


@pytest.fixture(scope="module", autouse=True)
def lasting_replicas(stack: Stack) -> Iterator[None]:
    with appended(stack.folder / ".env", "REPLICAS=2"):
        yield
    stack.up()


def test_where_nothing_has_changed_every_container_goes_on(stack: Stack) -> None:
    stack.run("make", "up")
    before = stack.ids()
    stack.run("make", "up")
    stack.compose("up", "--detach", "--wait", "--build")
    stack.compose("up", "--detach", "--wait", "--scale", "ws=2")
    assert stack.ids() == before


@pytest.mark.nightly  # it changes when compose does, not when a commit does
def test_so_it_is_with_the_newest_compose_also_after_a_rollout(newer: Stack) -> None:
    newer.run("make", "up")
    before = newer.ids()
    newer.run("make", "up")
    newer.compose("up", "--detach", "--wait", "--build")
    newer.compose("up", "--detach", "--wait", "--scale", "ws=2")
    assert before.items() < newer.ids().items(), "one more ws, and no other change"

    before = newer.ids("nginx", "redis", "postgres")
    compose = newer.folder / "docker-compose.yml"
    nginx = "memory: 1g, pids: 64"
    assert compose.read_text().count(nginx) == 1
    compose.write_text(compose.read_text().replace(nginx, "memory: 1g, pids: 65"))
    said = newer.run("bash", "-c", "make rollout 2>&1")
    assert [line for line in said.splitlines() if "replacing" in line] == [
        "rollout: replacing nginx: for up to 20 seconds nobody can come in"
    ]
    assert before.items() - newer.ids().items() == {("nginx-1", before["nginx-1"])}

    before = newer.ids()
    with appended(newer.folder / ".env", "REPLICAS=2"):
        newer.run("make", "up")
        newer.compose("up", "--detach", "--wait")
    assert newer.ids() == before, "and REPLICAS lasts"


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        (".env", "ALLOW_GUESTS=maybe", "ALLOW_GUESTS must be 1 or 0"),
        (".env", "DATABASE_URL=postgres://a:b@example.org/c", "docker/postgres-elsewhere.yml"),
        (".env", "REDIS_URL=redis://example.org", "docker/redis-elsewhere.yml"),
        (".env", "REPLICAS=50", "DATABASE_CONNECTIONS is 97"),
        (".env", "TRUSTED_PROXIES=gateway,proxy.example", "'proxy.example' is no address"),
        (".env", "TRUSTED_PROXIES=10.0.0.0/99", "invalid network"),
        (".env", "PORT=80", "PORT in .env reaches no container"),
        (SITE, "} # one too many", 'unexpected "}"'),
        ("docker/postgres/postgresql.conf", "shared_bufers = 1GB", "shared_bufers"),
    ],
    ids=[
        "nonsense",
        "Postgres elsewhere",
        "Redis elsewhere",
        "too many",
        "no address",
        "no network",
        "PORT",
        "nginx",
        "postgresql.conf",
    ],
)
def test_what_cannot_work_is_refused_before_anything_stops(stack: Stack, name: str, text: str, says: str) -> None:
    before = [stack.ids(*SERVERS), started(stack)]
    with appended(stack.folder / name, text), pytest.raises(CommandError) as failure:
        stack.run("make", "up")
    assert says in str(failure.value)
    assert [stack.ids(*SERVERS), started(stack)] == before
    assert Visitor(stack.base_url).get("/").status == 200


def test_a_key_of_ones_own_is_the_one_that_signs(stack: Stack) -> None:
    key = "alices-own-$ecret-" + 4 * "0123456789"
    with appended(stack.folder / ".env", f"SECRET_KEY='{key}'"):
        ask = ["python", "-c", "from config.settings import SECRET_KEY; print(SECRET_KEY)"]
        assert stack.compose("run", "--rm", "--no-deps", "-T", "migrate", *ask).strip() == key


async def test_nginx_takes_over_a_new_configuration_while_people_read_and_talk(stack: Stack) -> None:
    nginx = stack.container("nginx")
    before = nginx.inspect()["State"]["StartedAt"]
    site = stack.folder / SITE
    site.write_text(site.read_text().replace("include listen.conf;", f"include listen.conf; {HEADER}"))
    trust = stack.folder / "nginx/trust.sh"
    trust.write_text(trust.read_text().replace("default 0;", "default 0; 192.0.2.1 1;"))
    async with await enter(stack.ws_url, new_room()) as alice:
        with reader(stack) as answers:
            await asyncio.to_thread(stack.run, "make", "up")
            await asyncio.to_thread(until, lambda: answers[-1] == (200, "second"), "new configuration")
        await alice.pong()
    assert {status for status, _ in answers} == {200}
    assert "192.0.2.1 1;" in nginx.exec("cat", "/run/nginx/proxies.conf"), "by the new script"
    assert [stack.container("nginx").id, nginx.inspect()["State"]["StartedAt"]] == [nginx.id, before]


def test_nginx_starts_again_with_what_was_checked_and_not_with_what_is_being_written(stack: Stack) -> None:
    nginx = stack.container("nginx")
    with appended(stack.folder / SITE, "} # one too many"):
        with pytest.raises(CommandError):
            stack.run("make", "up")
        crash(stack)
    until(lambda: nginx.healthy, "healthy nginx")


def test_who_was_sent_a_signal_still_comes_back(stack: Stack) -> None:
    """Docker takes any `kill` for a wish to stop, and with `unless-stopped` brings back nobody who was killed."""
    stack.compose("kill", "--signal", "HUP", "nginx")
    crash(stack)
    until(lambda: stack.container("nginx").healthy, "healthy nginx")
    until(lambda: Visitor(stack.base_url).get("/health/live").status == 200, "site")


async def test_without_its_secrets_the_stack_makes_new_ones_and_keeps_what_was_said(stack: Stack) -> None:
    room = new_room()
    async with await enter(stack.ws_url, room) as alice:
        await alice.say("before the loss")
    stack.down()
    run(["docker", "volume", "rm", f"{stack.project}_secrets"])
    said = await asyncio.to_thread(stack.run, "bash", "-c", "make up 2>&1")
    assert "the volume `secrets` is gone" in said
    async with await enter(stack.ws_url, room) as bob:
        assert bob.bodies() == ["before the loss"]


async def test_passwords_that_have_gone_apart_are_said_with_the_commands_that_bring_them_together(stack: Stack) -> None:
    before, restarts = stack.ids(), [each.restarts for each in stack.containers(*SERVERS)]
    write = ["docker", "compose", "run", "--rm", "--no-deps", "-T", "--entrypoint", "sh", "secrets", "-c"]
    await asyncio.to_thread(
        stack.run, *write, "cd /run/secrets && rm -f postgres_password && echo -n x >postgres_password"
    )
    with pytest.raises(CommandError, match="The volume `secrets` has gone apart") as refused:
        await asyncio.to_thread(stack.run, "bash", "-c", "make up 2>&1")
    assert "Nothing was changed." in str(refused.value)
    assert stack.ids() == before

    mend, restart, again = re.findall(r"`(docker compose r.*?|make up)`", str(refused.value))
    await asyncio.to_thread(stack.run, *mend.split())
    with pytest.raises(CommandError):
        await asyncio.to_thread(stack.run, *again.split())
    assert f"`{restart}`" in stack.compose("logs", "--no-log-prefix", "migrate"), "Postgres knows another password"
    assert [each.restarts for each in stack.containers(*SERVERS)] == restarts

    await asyncio.to_thread(stack.run, *restart.split())
    await asyncio.to_thread(stack.run, *again.split())
    async with await enter(stack.ws_url, new_room()) as alice:
        await alice.say("all of them use the same one")


def started(stack: Stack) -> list[str]:
    return [each.inspect()["State"]["StartedAt"] for each in stack.containers(*SERVERS)]


def crash(stack: Stack) -> None:
    nginx = stack.container("nginx")
    restarts = nginx.restarts
    nginx.crash()
    until(lambda: nginx.restarts > restarts, "restart of nginx")


@contextmanager
def reader(stack: Stack) -> Iterator[list[tuple[int, str]]]:
    """Somebody who asks for pages, one after another: status and edition of each."""
    visitor, enough = Visitor(stack.base_url), threading.Event()
    answers: list[tuple[int, str]] = []

    def read() -> None:
        while not enough.is_set():
            page = visitor.get("/health/live")
            answers.append((page.status, page.headers.get("X-Edition", "first")))

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield answers
    finally:
        enough.set()
        thread.join()


@contextmanager
def appended(file: Path, text: str) -> Iterator[None]:
    """Afterwards the file is as it was, or is not."""
    before = file.read_text() if file.exists() else None
    file.write_text(f"{before or ''}\n{text}\n")
    try:
        yield
    finally:
        if before is None:
            file.unlink()
        else:
            file.write_text(before)


@pytest.fixture(scope="module")
def newer(newer_compose: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own: what one compose has made another one replaces."""
    stack = Stack(tmp_path_factory.mktemp("newer"))
    stack.env["DOCKER_CONFIG"] = newer_compose
    try:
        yield stack
    finally:
        stack.remove()
