"""Who knows Channels knows this: its programs start the application, its consumers and routers plug in."""

import asyncio
import json
import signal
import sys
from collections.abc import Iterator

import pytest
from websockets.exceptions import InvalidStatus

from client import Socket, dial, enter, new_room
from crowd import until
from servers.app import Image, Server, environment
from servers.stack import SERVERS
from visitor import Visitor

CONSUMER = '''
from channels.auth import AuthMiddlewareStack
from channels.generic.websocket import AsyncJsonWebsocketConsumer, WebsocketConsumer
from channels.routing import URLRouter
from django.urls import include, path


class Desk(AsyncJsonWebsocketConsumer):
    """Everybody at one desk hears what is said there."""

    async def connect(self):
        self.desk = "desk." + self.scope["url_route"]["kwargs"]["desk"]
        await self.channel_layer.group_add(self.desk, self.channel_name)
        await self.accept()
        await self.send_json({"you": self.scope["user"].get_username(), "at": self.desk})

    async def receive_json(self, content):
        await self.channel_layer.group_send(self.desk, {"type": "said", "what": content})

    async def said(self, event):
        await self.send_json(event["what"])

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.desk, self.channel_name)


class Sync(WebsocketConsumer):
    def receive(self, text_data=None, bytes_data=None):
        self.send(text_data.upper())


desks = [path("<slug:desk>/", AuthMiddlewareStack(Desk.as_asgi())), path("", Sync.as_asgi())]
stock = [
    path("ws/desk/<slug:desk>/", AuthMiddlewareStack(Desk.as_asgi())),
    path("ws/sync/", Sync.as_asgi()),
    path("ws/included/", include(desks)),
    path("ws/nested/", URLRouter(desks)),
]
'''
COMMANDS = {
    "daphne": ["-m", "daphne", "--bind", "127.0.0.1", "--port", "{port}", "config.asgi:application"],
    "uvicorn": ["-m", "uvicorn", "--host", "127.0.0.1", "--port", "{port}", "config.asgi:application"],
}


@pytest.fixture(scope="module")
def extended() -> Image:
    """The application with consumers and routes that were written for Channels."""
    image = Image()
    (image.app / "rooms" / "stock.py").write_text(CONSUMER)
    routing = image.app / "config" / "routing.py"
    text = routing.read_text().replace("\n]\n", "\n    *stock,\n]\n", 1)
    assert "*stock" in text
    routing.write_text(f"from rooms.stock import stock\n{text}")
    return image


@pytest.fixture(scope="module")
def env(extended: Image, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """SQLite, no Redis, and alice may log in."""
    database = tmp_path_factory.mktemp("database") / "db.sqlite3"
    env = environment(DATABASE_URL=f"sqlite:///{database}", DRAIN_SECONDS="1", SOCKETS_PER_ADDRESS="5")
    extended.migrate(env)
    make = "from django.contrib.auth.models import User; User.objects.create_user('alice', password='s3cret-alice')"
    extended.manage("shell", "-c", make, env=env)
    return env


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest, extended: Image, env: dict[str, str]) -> Iterator[Server]:
    server = extended.ws("stock", env | {"WS_SERVER": request.param})
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=SERVERS)
def theirs(request: pytest.FixtureRequest, extended: Image, env: dict[str, str]) -> Iterator[Server]:
    """The application under the server's own program."""
    server = Server(request.param, [sys.executable], extended.app, env | {"DJANGO_SETTINGS_MODULE": "config.settings"})
    server.command += [word.format(port=server.port) for word in COMMANDS[request.param]]
    server.start()
    yield server
    server.stop()


# --- Channels' programs ------------------------------------------------------------------------------


async def test_alice_talks_under_the_servers_own_program(theirs: Server) -> None:
    alice = await enter(theirs.ws_url, new_room())
    assert (await alice.say("hello"))["seq"] == 1
    await alice.hears("hello")
    await alice.leave()
    assert "Traceback" not in theirs.output()


async def test_its_end_stores_what_was_accepted_and_takes_no_time(theirs: Server) -> None:
    alice = await enter(theirs.ws_url, new_room())
    await alice.say("hello")
    assert theirs.stop(30) != -signal.SIGKILL
    assert "Traceback" not in theirs.output()


# --- Channels' consumers and routers -----------------------------------------------------------------


@pytest.mark.parametrize("route", ["desk", "included", "nested"])
async def test_a_consumer_knows_who_has_logged_in_and_its_group_hears(server: Server, route: str) -> None:
    alice = Visitor(server.url)
    form = {"username": "alice", "password": "s3cret-alice"}
    await asyncio.to_thread(alice.post, "/accounts/login/", form)
    hers = await dial(f"{server.ws_url}/ws/{route}/one/", headers=alice.cookies)
    bobs = await dial(f"{server.ws_url}/ws/{route}/one/")
    carols = await dial(f"{server.ws_url}/ws/{route}/two/")
    assert [json.loads(await each.recv())["you"] for each in (hers, bobs, carols)] == ["alice", "", ""]
    await hers.send('{"said": "hello"}')
    assert json.loads(await hers.recv()) == json.loads(await bobs.recv()) == {"said": "hello"}
    await carols.send('{"said": "alone"}')
    assert json.loads(await carols.recv()) == {"said": "alone"}
    for each in (hers, bobs, carols):
        await each.close()


@pytest.mark.parametrize("route", ["sync", "included", "nested"])
async def test_a_sync_consumer_answers(server: Server, route: str) -> None:
    alice = await dial(f"{server.ws_url}/ws/{route}/")
    await alice.send("hear me")
    assert await alice.recv() == "HEAR ME"
    await alice.close()


async def test_what_none_of_the_routes_takes_is_told_so(server: Server) -> None:
    for place in ("desk/", "included/one/more/", "nested/one/more/", "elsewhere/"):
        assert await Socket(await dial(f"{server.ws_url}/ws/{place}")).closed() == 4404
    assert "Traceback" not in server.output()


async def test_the_door_is_in_front_of_them(server: Server) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await dial(f"{server.ws_url}/ws/sync/", headers={"Origin": "https://evil.example"})
    assert refused.value.response.status_code == 403
    await until(lambda: not server.connections(), 30)  # who was here before
    sockets = [await dial(f"{server.ws_url}/ws/sync/") for _ in range(5)]
    assert await Socket(await dial(f"{server.ws_url}/ws/sync/")).closed() == 4529
    for socket in sockets:
        await socket.close()


async def test_they_are_told_to_come_back_when_the_server_leaves(server: Server) -> None:
    """The last test: the server is not there any more."""
    alice = await dial(f"{server.ws_url}/ws/sync/")
    await alice.send("hear me")
    await alice.recv()
    assert server.stop(30) == 0
    await alice.wait_closed()
    assert alice.close_code == 1012
    assert "Traceback" not in server.output()
