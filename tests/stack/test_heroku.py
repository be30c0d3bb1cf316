"""`make deploy` by the real heroku CLI against a double of Heroku, which runs the released images as dynos.

The tests of this file follow one app from its creation on, in the order in which they are written.
"""

import asyncio
import subprocess
from pathlib import Path

from browser import Person, chromium
from client import enter, new_room
from ledger import keep
from stack import migrations
from stack.compose import until
from stack.heroku.app import App
from stack.heroku.double import Heroku
from stack.heroku.pages import APP, commands
from stack.heroku.people import Site
from stack.heroku.registry import SCHEMA_2
from story import SocketActor, converse
from visitor import Visitor

LOBBY = "app/rooms/templates/rooms/lobby.html"
# Says something, waits until somebody makes a table, and fails.
BROKEN = """import time

from django.db import migrations


def wait(apps, schema_editor):
    print("The migration begins.", flush=True)
    with schema_editor.connection.cursor() as cursor:
        while not cursor.execute("SELECT FROM pg_tables WHERE tablename = 'go_on'").fetchall():
            time.sleep(0.1)


class Migration(migrations.Migration):
    dependencies = [("rooms", "{after}")]
    operations = [migrations.RunPython(wait), migrations.RunSQL("SELECT 1/0")]
"""


def deploy(heroku: Heroku, folder: Path) -> "subprocess.CompletedProcess[str]":
    return heroku.shell(f"make deploy APP={APP}", folder)


def test_a_stranger_gets_from_create_to_a_running_app_by_the_readme(heroku: Heroku, deployed: str) -> None:
    assert f"runs on https://{heroku.app(APP).domain}/" in deployed


def test_the_deploy_shows_what_the_release_phase_says(deployed: str) -> None:
    assert "Applying rooms.0001_initial... OK" in deployed


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
    before = app.current.version
    carol = await enter(site.ws_url, new_room("listening"))

    async def second_deploy() -> None:
        done = await asyncio.to_thread(deploy, heroku, clone)
        assert done.returncode == 0, done.stdout
        assert f"`heroku rollback v{before} --app {APP}` goes back; Heroku has the images of v{before}" in done.stdout

    account = await keep(4 * [site.ws_url], new_room("ledger"), heroku.postgres, second_deploy)
    print(account)
    assert account.faultless, account
    assert account.dials >= 8, "everybody had to come back"
    assert (await carol.of_type("goodbye"))["reason"] == "restart"
    assert await carol.closed() == 4501
    assert "(second edition)" in Visitor(site.base_url).get("/").text
    until(lambda: len(app.retired) > retired, "the old dyno's end", 120)
    old = app.retired[-1]
    assert old.exit_code == 0, "it left by itself when SIGTERM came to all of its processes"


def test_what_deploy_says_about_rolling_back_works(heroku: Heroku, app: App, site: Site, clone: Path) -> None:
    before = app.releases[-2].version
    (rollback,) = commands("docs/heroku.md", "Going back")
    heroku.run(rollback.replace("v12", f"v{before}"), clone)
    assert app.releases[-1].ended.wait(60)
    assert "(second edition)" not in Visitor(site.base_url).get("/").text


def test_a_failed_release_phase_is_watched_and_leaves_the_old_version_serving(
    heroku: Heroku, app: App, site: Site, clone: Path
) -> None:
    migration = migrations.add(clone, "tests_9002", BROKEN)
    before, dynos = app.current, list(app.dynos)
    with heroku.typed(f"make deploy APP={APP}", clone) as deploying:
        assert deploying.stdout
        try:
            assert any("The migration begins." in line for line in deploying.stdout)
            assert app.releases[-1].status == "pending", "what it says is shown while it runs"
            heroku.api.cut_outputs()
            assert any("the release phase goes on" in line for line in deploying.stdout)
        finally:
            heroku.postgres.query("CREATE TABLE go_on ()")
            migration.unlink()
        rest = deploying.stdout.read()
    assert deploying.returncode != 0
    assert "division by zero" in rest
    assert f"The release failed and v{before.version} goes on" in rest
    assert app.releases[-1].status == "failed"
    assert app.current is before
    assert app.dynos == dynos
    assert Visitor(site.base_url).get("/health/ready").status == 200
    assert "division by zero" in heroku.run(f"heroku releases:output --app {APP}", clone)


def test_each_step_by_hand_does_what_make_deploy_does(heroku: Heroku, app: App, site: Site, clone: Path) -> None:
    before = app.current.version
    for line in commands("docs/heroku.md", "Each step by hand"):
        heroku.run(line, clone)
    assert app.current.version > before
    assert app.current.processes["release"].command == "python manage.py migrate --noinput"
    assert "(second edition)" in Visitor(site.base_url).get("/").text
