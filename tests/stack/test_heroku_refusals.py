"""What `make deploy` refuses, in sentences with the command that mends it; and a socket that is silent meanwhile."""

import json
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import ClientConnection, connect

from client import new_id, new_room, room_path
from stack.heroku.app import App
from stack.heroku.double import Heroku
from stack.heroku.inside import LOOPBACK
from stack.heroku.pages import APP
from stack.heroku.people import Site
from stack.heroku.router import SILENCE_SECONDS


class Silent:
    """Somebody in a room who sends nothing by themselves, but answers to pings as every client does."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection, self.since = connection, time.monotonic()


@pytest.fixture(scope="module", autouse=True)
def silent(heroku: Heroku, deployed: str) -> Iterator[Silent]:
    """No test of this file restarts a dyno."""
    site = Site(heroku.app(APP), heroku)
    trusting = ssl.create_default_context(cafile=str(heroku.authority.certificate))
    line = socket.create_connection((LOOPBACK, heroku.port))
    url = site.ws_url + room_path(new_room("silent"))
    with connect(url, sock=line, ssl=trusting, ping_interval=None, proxy=None) as connection:
        yield Silent(connection)


def deploy(heroku: Heroku, folder: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    return heroku.shell(f"make deploy APP={APP}", folder, **env)


def is_refused(done: "subprocess.CompletedProcess[str]", *says: str) -> None:
    assert done.returncode != 0
    for sentence in says:
        assert sentence in done.stdout


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


def test_an_app_of_fir_is_refused_before_anything_is_pushed(
    heroku: Heroku, app: App, clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "generation", "fir")
    monkeypatch.setattr(app, "stack", "cnb")
    before = heroku.registry.pushes
    done = deploy(heroku, clone)
    is_refused(
        done, f"{APP} is of Heroku's generation Fir, which runs no Docker images", "`heroku create NAME --manifest`"
    )
    assert "stack:set" not in done.stdout
    assert heroku.registry.pushes == before


def test_who_is_not_logged_in_is_told_how(heroku: Heroku, clone: Path) -> None:
    is_refused(deploy(heroku, clone, HEROKU_API_KEY="wrong"), "`heroku login`")


def test_whom_the_registry_does_not_know_is_told_how_to_log_in(heroku: Heroku, app: App, clone: Path) -> None:
    """And `heroku container:login`, which the README has, is what made the difference."""
    before = len(app.releases)
    is_refused(deploy(heroku, clone, DOCKER_CONFIG="/tmp/none"), "does not know you: `heroku container:login`")
    assert len(app.releases) == before


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


def test_the_router_does_not_cut_who_is_silent_for_longer_than_it_waits(silent: Silent) -> None:
    """Without the server's pings and `seq` frames it would have."""
    left = silent.since + SILENCE_SECONDS + 5 - time.monotonic()
    if left > 0:
        time.sleep(left)
    id = new_id()
    silent.connection.send(json.dumps({"type": "message", "id": id, "body": "I am still here"}))
    heard = {"type": ""}
    while heard["type"] != "ack":
        heard = json.loads(silent.connection.recv(timeout=10))
    assert heard["id"] == id
