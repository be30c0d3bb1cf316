"""`make deploy` by the real heroku CLI against a double of Heroku, which runs the released images as dynos.

The tests of this file follow one app from its creation on, in the order in which they are written.
"""

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from browser import Person, chromium
from client import enter, new_room
from ledger import keep
from stack.compose import ROOT, copy_repository, until
from stack.conftest import need_engine, unable
from stack.heroku import cli
from stack.heroku.app import App
from stack.heroku.containers import docker
from stack.heroku.data import CONNECTIONS
from stack.heroku.double import Heroku
from stack.heroku.people import Site, outside
from stack.heroku.registry import SCHEMA_2
from story import SocketActor, converse
from visitor import Visitor

APP = "rooms-of-alice"
LOBBY = "app/rooms/templates/rooms/lobby.html"
BROKEN = """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("rooms", "0001_initial")]
    operations = [migrations.RunSQL("SELECT 1/0")]
"""
# A push tells Docker's engine, not the CLI; and the engine lives outside of the namespaces.
NEEDS_THE_ENGINE_TO_KNOW_THE_NAME = "heroku container:login"


@pytest.fixture(scope="module")
def heroku(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Heroku]:
    need_engine()
    if sentence := cli.missing():
        unable(sentence)
    cli.install()
    double = Heroku(tmp_path_factory.mktemp("heroku"))
    try:
        with outside(double):
            yield double
    finally:
        double.close()


@pytest.fixture(scope="module")
def clone(heroku: Heroku) -> Path:
    """What a stranger has after `git clone`."""
    folder = heroku.folder / "clone"
    folder.mkdir()
    copy_repository(folder)
    return folder


@pytest.fixture
def app(heroku: Heroku) -> App:
    return heroku.app(APP)


@pytest.fixture
def site(heroku: Heroku, app: App) -> Site:
    return Site(app, heroku)


def deploy(heroku: Heroku, folder: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    done = heroku.shell(f"make deploy APP={APP}", folder, **env)
    print(done.stdout)
    return done


def is_refused(done: "subprocess.CompletedProcess[str]", *says: str) -> None:
    assert done.returncode != 0
    for sentence in says:
        assert sentence in done.stdout


def commands_of_the_readme() -> list[str]:
    section = (ROOT / "README.md").read_text().split("## Deploy on Heroku")[1].split("\n## ")[0]
    return [
        line.partition("  #")[0].strip() for line in re.findall(r"```sh\n(.*?)```", section, re.DOTALL)[0].splitlines()
    ]


def test_a_stranger_gets_from_create_to_a_running_app_by_the_readme(heroku: Heroku, clone: Path) -> None:
    lines = [line for line in commands_of_the_readme() if line != NEEDS_THE_ENGINE_TO_KNOW_THE_NAME]
    assert lines[-1].startswith("make deploy")
    for line in lines:
        done = heroku.shell(line.replace("my-rooms", APP), clone)
        print(done.stdout)
        assert done.returncode == 0, line
    assert f"runs on https://{heroku.app(APP).domain}/" in done.stdout


def test_what_is_pushed_is_what_heroku_takes_and_what_runs(heroku: Heroku, app: App) -> None:
    for kind in ("web", "release"):
        manifest = heroku.registry.manifest(f"{APP}/{kind}")
        assert manifest["mediaType"] == SCHEMA_2
        assert manifest["config"]["digest"] == app.current.processes[kind].image
    (web,) = app.dynos
    assert web.inspect()["Image"] == app.current.processes["web"].image


async def test_two_browsers_hold_the_conversation_through_the_router(site: Site) -> None:
    async with chromium() as of_alice, chromium() as of_bob:
        people = [
            Person(await each.new_page(ignore_https_errors=True), site.base_url) for each in (of_alice, of_bob, of_bob)
        ]
        await converse(*people)
        assert [person.problems for person in people] == [[], [], []]


async def test_so_do_programs_over_sockets(site: Site) -> None:
    await converse(*(SocketActor(site.ws_url) for _ in range(3)))


def test_the_dyno_is_nobody_and_may_write_nothing_but_tmp(app: App) -> None:
    (web,) = app.dynos
    uid = int(web.exec("id", "-u"))
    assert uid >= 20_000
    assert "CapEff:\t0000000000000000" in web.exec("cat", "/proc/1/status")
    script = "touch /tmp/it && ! touch /app/it 2>/dev/null && ! touch /it 2>/dev/null && echo as it should be"
    assert "as it should be" in web.exec("sh", "-c", script)


def test_cookies_are_secure_behind_the_router(site: Site) -> None:
    page = Visitor(site.base_url).get("/accounts/login/")
    assert page.status == 200
    assert all("Secure" in cookie for cookie in page.headers.get_all("Set-Cookie"))
    assert page.headers["Strict-Transport-Security"]


async def test_the_data_services_are_reached_by_tls_within_their_plans(heroku: Heroku, site: Site) -> None:
    room = new_room()
    crowd = [await enter(site.ws_url, room) for _ in range(40)]
    await asyncio.gather(*(each.say(f"sentence {number}") for number, each in enumerate(crowd)))
    tls = heroku.postgres.query(
        "SELECT bool_and(ssl), count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
        " WHERE client_addr IS NOT NULL"
    )
    encrypted, connections = tls.split("|")
    assert encrypted == "t"
    assert 0 < int(connections) <= CONNECTIONS // 2, "a deploy doubles them"
    assert 0 < heroku.redis.clients() <= CONNECTIONS // 2
    for each in crowd:
        await each.leave()


def test_redis_is_verified_where_there_is_an_authority(heroku: Heroku, app: App, site: Site) -> None:
    for authority, word in ((heroku.stranger, "degraded"), (heroku.authority, "ok")):
        change(app, REDIS_CA=authority.certificate.read_text())
        until(lambda: Visitor(site.base_url).get("/health/ready").status == 200, "a ready dyno", 60)
        assert json.loads(Visitor(site.base_url).get("/health/ready").body) == {"status": word}


def change(app: App, **config: str) -> None:
    app.set_config(config)
    assert app.releases[-1].ended.wait(60)


def test_an_unchanged_image_is_nothing_to_release(heroku: Heroku, app: App, clone: Path) -> None:
    before = app.current.version
    done = deploy(heroku, clone)
    assert done.returncode == 0
    assert f"nothing to release: v{before} is this very version" in done.stdout
    assert app.current.version == before


async def test_people_talk_through_a_deploy_and_nothing_is_lost(
    heroku: Heroku, app: App, site: Site, clone: Path
) -> None:
    lobby = clone / LOBBY
    lobby.write_text(lobby.read_text().replace("</h1>", " (second edition)</h1>"))
    assert "(second edition)" not in Visitor(site.base_url).get("/").text
    retired = len(app.retired)

    async def second_deploy() -> None:
        done = await asyncio.to_thread(deploy, heroku, clone)
        assert done.returncode == 0, done.stdout

    account = await keep(4 * [site.ws_url], new_room("ledger"), heroku.postgres, second_deploy)
    print(account)
    assert account.faultless, account
    assert account.dials >= 8, "everybody had to come back"
    assert "(second edition)" in Visitor(site.base_url).get("/").text
    until(lambda: len(app.retired) > retired, "the old dyno's end", 40)
    old = app.retired[-1]
    assert old.exit_code == 0, "it left by itself when SIGTERM came to all of its processes"
    assert old.seconds_to_leave < 20


def test_what_deploy_says_about_rolling_back_works(heroku: Heroku, app: App, site: Site, clone: Path) -> None:
    before = app.releases[-2].version
    done = heroku.shell(f"heroku rollback v{before} --app {APP}", clone)
    assert done.returncode == 0, done.stdout
    assert app.releases[-1].ended.wait(60)
    assert "(second edition)" not in Visitor(site.base_url).get("/").text


def test_a_failed_release_phase_leaves_the_old_version_serving(
    heroku: Heroku, app: App, site: Site, clone: Path
) -> None:
    migration = clone / "app/rooms/migrations/tests_9002.py"
    migration.write_text(BROKEN)
    before, dynos = app.current, list(app.dynos)
    is_refused(deploy(heroku, clone), "division by zero", f"The release failed and v{before.version} goes on")
    migration.unlink()
    assert app.releases[-1].status == "failed"
    assert app.current is before
    assert app.dynos == dynos
    assert Visitor(site.base_url).get("/health/ready").status == 200


def test_what_is_missing_is_said_with_the_commands_that_mend_it(
    heroku: Heroku, app: App, clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "stack", "heroku-24")
    monkeypatch.setattr(app, "addons", app.addons[:1])
    monkeypatch.setattr(app, "features", set())
    monkeypatch.setattr(app, "config", {name: text for name, text in app.config.items() if name != "PROXY_HOPS"})
    before = len(app.releases)
    is_refused(
        deploy(heroku, clone),
        f"is not container: `heroku stack:set container --app {APP}`",
        f"has no heroku-redis: `heroku addons:create heroku-redis:mini --app {APP}`",
        f"PROXY_HOPS is not set: `heroku config:set PROXY_HOPS=1 --app {APP}`",
        f"does not know its name: `heroku labs:enable runtime-dyno-metadata --app {APP}`",
    )
    assert len(app.releases) == before


def test_who_is_not_logged_in_is_told_how(heroku: Heroku, clone: Path) -> None:
    is_refused(deploy(heroku, clone, HEROKU_API_KEY="wrong"), "`heroku login`")


def test_an_oci_manifest_is_refused_before_heroku_stumbles_over_it(
    heroku: Heroku, app: App, clone: Path, tmp_path: Path
) -> None:
    """Docker's classic store pushes none: here its push is replaced by one that leaves an OCI index in the registry."""
    heroku.registry.put_oci_index(f"{APP}/web")
    before = len(app.releases)
    stumbling = heroku.shell(f"heroku container:release web --app {APP}", clone)
    assert stumbling.returncode != 0
    program = tmp_path / "docker"
    program.write_text(f'#!/bin/sh\n[ "$1 $2" = "buildx build" ] || exec {shutil.which("docker")} "$@"\n')
    program.chmod(0o755)
    done = deploy(heroku, clone, PATH=f"{tmp_path}:{heroku.env['PATH']}")
    is_refused(done, "application/vnd.oci.image.index.v1+json, which Heroku does not take")
    assert len(app.releases) == before


def test_a_full_registry_is_named_and_nothing_is_released(heroku: Heroku, app: App, clone: Path) -> None:
    (clone / "app" / "something-new").write_text("x")
    before = len(app.releases)
    heroku.registry.fill()
    try:
        is_refused(deploy(heroku, clone), "The registry fails to store the image: it is full or out of order")
    finally:
        heroku.registry.empty()
        (clone / "app" / "something-new").unlink()
    assert len(app.releases) == before


def test_the_classic_build_of_git_push_gives_a_working_app(heroku: Heroku, app: App, site: Site, clone: Path) -> None:
    """Heroku builds heroku.yml so: its own builder, the Dockerfile's folder, the commands from the file."""
    lines = (clone / "heroku.yml").read_text()
    dockerfile = clone / re.search(r"docker:\n +web: (.+)", lines)[1]  # type: ignore[index]
    commands = {
        "web": re.search(r"run:\n +web: (.+)", lines)[1],  # type: ignore[index]
        "release": re.search(r"command:\n +- (.+)", lines)[1],  # type: ignore[index]
    }
    tag = f"{heroku.network.name}-classic"
    docker("build", "--tag", tag, "--file", str(dockerfile), str(dockerfile.parent), env={"DOCKER_BUILDKIT": "0"})
    image = docker("image", "inspect", "--format", "{{.Id}}", tag)
    app.release_images({"web": image, "release": image}, commands)
    assert app.releases[-1].ended.wait(120)
    assert app.releases[-1].status == "succeeded", app.releases[-1].output
    asyncio.run(converse(*(SocketActor(site.ws_url) for _ in range(3))))
    docker("image", "rm", "--force", tag)


def test_the_double_was_asked_nothing_that_it_does_not_know(heroku: Heroku) -> None:
    optional = {"GET /account/features/runtime-dyno-metadata", "GET /apps/…/pipeline-couplings"}
    assert set(heroku.api.unknown) <= optional
