"""docs/from-channels.md: the tutorial's consumer and another one run as printed, and so do the topics they become."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect

from client import Socket, dial
from crowd import until
from servers import needed
from servers.app import Image, environment
from servers.redis import Redis
from servers.stack import SERVERS
from visitor import Visitor

TEXT = (Path(__file__).parents[2] / "docs" / "from-channels.md").read_text()
PRINTED = re.compile(r"`app/(chat/\w+\.py)`:\n\n```python\n(.*?)```", re.DOTALL)
FRAMES, FRAME = 3_000, 32_768  # 94 MiB, far more than kernels and clients take in advance

# A consumer with more to say than anybody reads, and how far it has come.
LOUD = f"""
from channels.generic.websocket import AsyncWebsocketConsumer


class Loud(AsyncWebsocketConsumer):
    sent = 0

    async def receive(self, text_data=None, bytes_data=None):
        if text_data == "how many":
            await self.send(text_data=str(Loud.sent))
            return
        for _ in range({FRAMES}):
            await self.send(bytes_data=bytes({FRAME}))
            Loud.sent += 1
"""


class Site:
    """gunicorn, and a process with sockets; a Redis between them, and a database in a file."""

    def __init__(self, server: str, redis: Redis, folder: Path) -> None:
        self.image = image()
        self.env = environment(
            DATABASE_URL=f"sqlite:///{folder / 'db.sqlite3'}", REDIS_URL=redis.url, DRAIN_SECONDS="1", WS_SERVER=server
        )
        self.image.migrate(self.env)
        make = "from django.contrib.auth.models import User; User.objects.create_user('alice', password='s3cret-alice')"
        self.image.manage("shell", "-c", make, env=self.env)
        self.web, self.ws = self.image.web(self.env), self.image.ws("ws", self.env)

    async def alice(self) -> Visitor:
        alice = Visitor(self.web.url)
        form = {"username": "alice", "password": "s3cret-alice"}
        assert (await asyncio.to_thread(alice.post, "/accounts/login/", form)).status == 302
        return alice

    async def dial(self, path: str, **headers: str) -> ClientConnection:
        return await dial(self.ws.ws_url + path, headers=headers)


def image() -> Image:
    """The application with the page's app, put where the page says."""
    image = Image()
    folder = image.app / "chat"
    folder.mkdir()
    (folder / "__init__.py").touch()
    for path, program in PRINTED.findall(TEXT):
        (image.app / path).write_text(program)
    (folder / "loud.py").write_text(LOUD)
    [line] = re.findall(r"`(from chat\.routing import [^`]*)`", TEXT)
    imports = f"{line}\nfrom chat.loud import Loud"
    extend(image.app / "config" / "routing.py", imports, "*chat, path('loud/', Loud.as_asgi()),")
    tell = "from chat.views import tell\nfrom chat.views import tell_by_topic"
    [append] = re.findall(r"```python\n(News\(user=.*)\n```", TEXT)
    view = folder / "views.py"
    view.write_text(
        f"{view.read_text()}\n\ndef tell_by_topic(request, username):\n"
        "    from chat.topics import News\n"
        "    reader = get_user_model().objects.get(username=username)\n"
        f"    {append}\n    return HttpResponse(status=204)\n"
    )
    routes = "path('tell/<slug:username>/', tell), path('tell-by-topic/<slug:username>/', tell_by_topic),"
    extend(image.app / "config" / "urls.py", tell, routes)
    settings = image.app / "config" / "settings.py"
    settings.write_text(settings.read_text().replace("INSTALLED_APPS = [\n", 'INSTALLED_APPS = [\n    "chat",\n', 1))
    return image


def extend(file: Path, imports: str, entries: str) -> None:
    """Imports at the top, and entries at the end of the file's list of routes."""
    head, found, rest = file.read_text().partition("urlpatterns = [")
    assert found
    routes, _, tail = rest.partition("\n]\n")
    file.write_text(f"{imports}\n{head}{found}{routes}\n    {entries}\n]\n{tail}")


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    needed.programs("redis-server")
    redis = Redis()
    redis.start()
    yield redis
    redis.stop()


@pytest.fixture(scope="module", params=SERVERS)
def site(request: pytest.FixtureRequest, redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(request.param, redis, tmp_path_factory.mktemp("site"))
    for each in (site.web, site.ws):
        each.launch()
    for each in (site.web, site.ws):
        each.wait_ready()
    yield site
    for each in (site.web, site.ws):
        each.stop()


# --- As they are -------------------------------------------------------------------------------------


async def test_the_tutorials_consumer_tells_its_room_and_no_other(site: Site) -> None:
    alice, bob = await site.dial("/ws/chat/lobby/"), await site.dial("/ws/chat/lobby/")
    carol = await site.dial("/ws/chat/elsewhere/")
    await alice.send('{"message": "hello"}')
    assert json.loads(await alice.recv()) == json.loads(await bob.recv()) == {"message": "hello"}
    await carol.send('{"message": "alone"}')
    assert json.loads(await carol.recv()) == {"message": "alone"}
    for each in (alice, bob, carol):
        await each.close()


async def test_a_view_under_gunicorn_tells_the_reader_it_names(site: Site, redis: Redis) -> None:
    alice = await site.alice()
    hers = await site.dial("/ws/my/news/", **alice.cookies)
    assert json.loads(await hers.recv()) == {"hello": "alice"}
    await hers.send('{"seen": 3}')
    assert json.loads(await hers.recv()) == {"seen": 3}
    connections = redis.clients()
    for _ in range(20):
        assert (await asyncio.to_thread(alice.get, "/tell/alice/")).status == 204
    for _ in range(20):
        assert json.loads(await hers.recv()) == {"news": "Your order is on its way."}
    await until(lambda: redis.clients() <= connections, 30)  # each call's connection has ended
    await hers.close()


async def test_whom_a_consumer_does_not_accept_is_refused(site: Site) -> None:
    with pytest.raises(Exception, match="HTTP 403"):
        await site.dial("/ws/my/news/")


async def test_a_frame_that_is_too_long_is_answered_by_1009(site: Site) -> None:
    alice = await site.dial("/ws/chat/lobby/")
    await alice.send(json.dumps({"message": "x" * 70_000}))
    await alice.wait_closed()
    assert alice.close_code == 1009


async def test_a_consumer_waits_for_a_client_that_does_not_read(site: Site) -> None:
    """What is sent is neither kept in memory nor lost."""
    alice = await connect(f"{site.ws.ws_url}/loud/", compression=None, max_queue=1, ping_interval=None, proxy=None)
    other = await site.dial("/loud/")

    async def sent() -> int:
        await other.send("how many")
        return int(await other.recv())

    before = await sent()
    await alice.send("go on")
    count = -1
    while (now := await sent()) != count or now == before:  # until it comes no further
        count = now
        await asyncio.sleep(0.5)
    assert count - before < FRAMES / 2
    for _ in range(FRAMES):
        assert len(await asyncio.wait_for(alice.recv(), 60)) == FRAME
    for each in (alice, other):
        await each.close()


# --- As topics ---------------------------------------------------------------------------------------


async def join(site: Site, topic: str, **headers: str) -> Socket:
    socket = Socket(await dial(f"{site.ws.ws_url}/ws/", subprotocols=["topics.v1"], headers=headers))
    await socket.send({"type": "join", "topic": topic})
    return socket


async def heard(socket: Socket) -> object:
    return (await socket.of_type("event"))["data"]


async def test_the_room_as_a_topic_is_heard_by_all_who_follow(site: Site) -> None:
    alice, bob = [await join(site, "chat/lobby") for _ in range(2)]
    for each in (alice, bob):
        await each.of_type("joined")
    await alice.send({"type": "send", "topic": "chat/lobby", "id": "1", "data": "hello"})
    assert (await alice.error("refused"))["detail"] == "Send an object with a message."
    await alice.send({"type": "send", "topic": "chat/lobby", "id": "2", "data": {"message": "hello"}})
    assert await heard(alice) == await heard(bob) == {"message": "hello"}
    for each in (alice, bob):
        await each.leave()


async def test_the_news_as_a_topic_are_its_readers_alone(site: Site) -> None:
    alice = await site.alice()
    hers, carols = await join(site, "news/1", **alice.cookies), await join(site, "news/1")
    await hers.of_type("joined")
    await carols.error("no_such_topic")
    assert (await asyncio.to_thread(alice.get, "/tell-by-topic/alice/")).status == 204
    assert await heard(hers) == "Your order is on its way."
    for each in (hers, carols):
        await each.leave()


async def test_they_are_told_to_come_back_when_the_server_leaves(site: Site) -> None:
    """The last test: the server is not there any more."""
    alice = await site.dial("/ws/chat/lobby/")
    await alice.send('{"message": "hello"}')
    await alice.recv()
    assert await asyncio.to_thread(site.ws.stop, 30) == 0
    await alice.wait_closed()
    assert alice.close_code == 1012
    assert "Traceback" not in site.ws.output() + site.web.output()
