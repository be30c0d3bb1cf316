"""docs/into-your-project.md, done to a project of `django-admin startproject`: each block in order, as printed."""

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from client import Socket, dial, new_id
from servers import needed
from servers.app import Server, environment
from servers.ports import free_port
from servers.process import Process
from servers.redis import Redis
from visitor import Visitor

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "into-your-project.md").read_text()
BLOCK = re.compile(r"(?P<above>[^\n]*)\n\n```(?P<language>\w+)\n(?P<block>.*?)```", re.DOTALL)
NOT_HERE = ("yaml", "nginx")  # of other programs than Python
ENV = {name: text for name, text in environment().items() if name in ("PATH", "HOME", "LANG", "PYTHONUNBUFFERED")} | {
    "STACK": str(ROOT),
    "PYTHONDONTWRITEBYTECODE": "1",
    "PIP_NO_INDEX": "1",  # all of it is here
}
ENV["PATH"] = f"{Path(sys.executable).parent}:{ENV['PATH']}"
SERVE = [sys.executable, "-m", "realtime.serve"]


class Project:
    """A copy of the page's text, carried out."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="mysite-", ignore_cleanup_errors=True)
        self.path = Path(self._folder.name)
        self.run("django-admin startproject mysite .")
        for block in BLOCK.finditer(TEXT):
            self.do(**block.groupdict())

    def do(self, above: str, language: str, block: str) -> None:
        if language == "sh":
            self.run(block)
        elif found := re.search(r"^(At the end of )?`(\S+)`(, the whole file)?:$", above):
            assert bool(found[1]) != bool(found[3])
            file = self.path / found[2]
            file.write_text(f"{file.read_text()}\n{block}" if found[1] else block)
        else:
            assert language in NOT_HERE, f"nobody says what to do with:\n{block}"

    def run(self, commands: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands], cwd=self.path, env=ENV, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{commands}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def server(self, name: str, command: list[str], **variables: str) -> Server:
        env = {"DJANGO_SETTINGS_MODULE": "mysite.settings", **ENV, **variables}
        server = Server(name, command, self.path, env)
        server.command = [word.format(port=server.port) for word in server.command]
        return server


@pytest.fixture(scope="module")
def project() -> Project:
    """With alice, who may log in."""
    project = Project()
    make = (
        "from django.contrib.auth.models import User; User.objects.create_superuser('alice', password='s3cret-alice')"
    )
    project.run(f'python manage.py shell -c "{make}"')
    return project


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def server(request: pytest.FixtureRequest, project: Project) -> Iterator[Server]:
    server = project.server(request.param, SERVE, WS_SERVER=request.param)
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["runserver", "daphne", "uvicorn"])
def site(request: pytest.FixtureRequest, project: Project) -> Iterator[Server]:
    """Each way to serve the pages and the sockets in one process."""
    if request.param == "runserver":
        server = project.server("runserver", [sys.executable, "manage.py", "runserver", "--noreload", "{port}"])
    else:
        server = project.server(request.param, SERVE, WS_SERVER=request.param)
    server.start()
    yield server
    server.stop()


async def follows(base: str, visitor: Visitor | None = None) -> Socket:
    """As a page of the site does, in the lunch's votes."""
    headers = {"Origin": base.replace("ws:", "http:"), **(visitor.cookies if visitor else {})}
    socket = Socket(await dial(base + "/ws/", subprotocols=["topics.v1"], headers=headers))
    await socket.send({"type": "join", "topic": "votes/lunch"})
    await socket.of_type("joined")
    return socket


async def event(socket: Socket, seq: int) -> object:
    heard = await socket.until(lambda frame: frame["type"] == "event" and frame["seq"] == seq, f"event {seq}")
    return heard["data"]


async def acknowledged(socket: Socket) -> int:
    id = new_id()
    await socket.send({"type": "send", "topic": "votes/lunch", "id": id, "data": "pizza"})
    ack = await socket.until(lambda frame: frame["type"] == "ack" and frame["id"] == id, "an ack")
    return int(ack["seq"])


async def test_what_alice_sends_and_what_a_view_appends_is_heard_by_both(site: Server) -> None:
    alice, bob = await follows(site.ws_url), await follows(site.ws_url)
    seq = await acknowledged(alice)
    assert await event(bob, seq) == "pizza"
    visitor = Visitor(site.url)
    page = await asyncio.to_thread(visitor.get, "/lunch/")
    [shown] = re.findall(r'<ul data-topic="votes/lunch" data-epoch="\w+" data-seq="(\d+)">', page.text)
    assert int(shown) == seq
    posted = await asyncio.to_thread(visitor.post, "/lunch/", {})
    assert posted.status == 200
    assert [await event(each, seq + 1) for each in (alice, bob)] == ["pasta", "pasta"]
    for each in (alice, bob):
        await each.leave()
    assert "Traceback" not in site.output()


async def test_the_browsers_module_is_served_where_the_page_says(site: Server) -> None:
    visitor = Visitor(site.url)
    page = (await asyncio.to_thread(visitor.get, "/lunch/")).text
    [address] = re.findall(r'from "(\S+client\.js)"', page)
    module = await asyncio.to_thread(visitor.get, address)
    assert (module.status, "export function connect" in module.text) == (200, True)


async def test_whoever_is_logged_in_is_the_person_and_is_closed_when_she_logs_out(server: Server) -> None:
    alice = Visitor(server.url)
    form = {"username": "alice", "password": "s3cret-alice", "next": "/lunch/"}
    assert (await asyncio.to_thread(alice.post, "/admin/login/", form)).status == 302
    hers = await follows(server.ws_url, alice)
    assert hers.welcome["you"]["name"] == "alice"
    assert not hers.welcome["you"]["guest"]
    await asyncio.to_thread(alice.post, "/admin/logout/", {}, seen_on="/lunch/")
    assert await hers.closed() == 4401


async def test_the_door_is_closed_to_strangers(server: Server) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await dial(f"{server.ws_url}/ws/", headers={"Origin": "https://evil.example"})
    assert refused.value.response.status_code == 403
    assert await Socket(await dial(f"{server.ws_url}/ws/elsewhere/")).closed() == 4404
    assert "Traceback" not in server.output()


def test_the_containers_health_check_passes(server: Server, project: Project) -> None:
    [words] = re.findall(r"test: \[CMD, (.*)\]", TEXT)
    command = words.replace(", ", " ")
    assert f"PORT={server.port}" not in project.run(f"PORT={server.port} {command}")


async def test_who_is_there_when_it_leaves_is_told_goodbye(server: Server) -> None:
    """The last one of the server."""
    alice = await follows(server.ws_url)
    assert await asyncio.to_thread(server.stop, 20) == 0
    assert (await alice.of_type("goodbye"))["reason"] == "restart"


# --- In production -----------------------------------------------------------------------------------


class Edge(Process):
    """nginx with the page's own lines."""

    def __init__(self, web: int, ws: int) -> None:
        self.port = free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="nginx-", ignore_cleanup_errors=True)
        prefix = Path(self._folder.name)
        prefix.chmod(0o755)
        [lines] = re.findall(r"```nginx\n(.*?)```", TEXT, re.DOTALL)
        for there, here in (("web:8000", web), ("ws:8000", ws)):
            lines = lines.replace(f"http://{there}", f"http://127.0.0.1:{here}")
        lines = lines.replace("listen 8080", f"listen 127.0.0.1:{self.port}")
        (prefix / "nginx.conf").write_text(
            f"pid {prefix}/pid; error_log stderr; events {{}}\nhttp {{ access_log off;\n{lines}\n}}\n"
        )
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        command = [program, "-p", str(prefix), "-c", str(prefix / "nginx.conf"), "-g", "daemon off;"]
        super().__init__("edge", command, self._passes_on)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _passes_on(self) -> bool:
        with suppress(OSError):
            return Visitor(self.url).get("/health/ready").status == 200
        return False


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_what_a_view_under_gunicorn_appends_is_heard_through_nginx(project: Project, kind: str) -> None:
    needed.programs("redis-server", "nginx")
    redis = Redis()
    redis.start()
    between = {"REDIS_URL": redis.url, "PROXY_HOPS": "1"}
    gunicorn = [sys.executable, "-m", "gunicorn", "--no-control-socket", "--bind", "127.0.0.1:{port}", "mysite.wsgi"]
    web = project.server("web", gunicorn, **between)
    ws = project.server("ws", SERVE, WS_SERVER=kind, **between)
    edge = Edge(web.port, ws.port)
    try:
        for process in (web, ws, edge):
            await asyncio.to_thread(process.start)
        alice = await follows(edge.url.replace("http:", "ws:"))
        seq = await acknowledged(alice)
        assert (await asyncio.to_thread(Visitor(edge.url).post, "/lunch/", {})).status == 200
        assert await event(alice, seq + 1) == "pasta"
        history = await asyncio.to_thread(Visitor(edge.url).get, f"/topics/votes/lunch?after={seq}")
        assert '"pasta"' in history.text
        await alice.leave()
        assert "Traceback" not in ws.output() + web.output()
    finally:
        for process in (edge, web, ws, redis):
            process.stop()


# --- What is forgotten is said -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "said"), [("", "DJANGO_SETTINGS_MODULE is missing"), ("bare", "ASGI_APPLICATION is missing")]
)
def test_what_is_forgotten_is_one_sentence(project: Project, settings: str, said: str) -> None:
    (project.path / "bare.py").write_text('SECRET_KEY = "x" * 50\n')
    env = ENV | {"PORT": str(free_port())} | ({"DJANGO_SETTINGS_MODULE": settings} if settings else {})
    done = subprocess.run(SERVE, cwd=project.path, env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert done.stderr.startswith(said)
