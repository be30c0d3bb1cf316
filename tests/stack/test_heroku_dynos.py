"""The app as it runs on Heroku: under whose conditions, what it believes, and how it leaves."""

import asyncio
import json
import signal
import ssl
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from websockets.exceptions import InvalidStatus

from client import Socket, dial, enter, new_room, room_path
from ledger import keep
from stack.compose import ROOT, until
from stack.heroku.app import App
from stack.heroku.data import CONNECTIONS
from stack.heroku.double import Heroku
from stack.heroku.dyno import Dyno
from stack.heroku.inside import LOOPBACK
from stack.heroku.pages import APP, commands
from stack.heroku.people import Site, coming_from
from visitor import Visitor

ELSEWHERE = "127.0.0.9"
CROWD, ROOM = 500, 100
SECONDS = 120
HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
# Two shells that take note of SIGTERM and stay.
STUBBORN = """
sh -c 'trap "echo the child was told" TERM; while :; do sleep 0.1; done' &
trap "echo the parent was told" TERM
while :; do sleep 0.1; done
"""


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


def test_whom_the_router_got_by_http_is_sent_to_https(app: App) -> None:
    """As the router asks for somebody who came to its port 80."""
    (web,) = app.dynos
    host, port = web.where
    page = Visitor(f"http://{host}:{port}").get("/", Host=app.domain, X_Forwarded_Proto="http")
    assert page.status == 301
    assert page.headers["Location"] == f"https://{app.domain}/"


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
    (line,) = commands("docs/heroku.md", "Redis, verified")
    for authority, word in ((heroku.stranger, "degraded"), (heroku.authority, "ok")):
        (heroku.folder / "authority.crt").write_bytes(authority.certificate.read_bytes())
        heroku.run(line, heroku.folder)
        settled(app, site)
        assert json.loads(Visitor(site.base_url).get("/health/ready").body) == {"status": word}


async def test_an_address_is_what_the_router_saw_and_not_what_a_client_says(app: App, site: Site) -> None:
    with changed(app, site, SOCKETS_PER_ADDRESS="1"):
        room = new_room()
        alice = await enter(site.ws_url, room)
        forged = {"X-Forwarded-For": "203.0.113.7"}
        mallory = Socket(await dial(site.ws_url + room_path(room), headers=forged))
        assert (await mallory.of_type("goodbye"))["reason"] == "too_many_sockets"
        with coming_from(ELSEWHERE):
            bob = await enter(site.ws_url, room)
        for each in (alice, bob, mallory):
            await each.leave()


async def test_an_app_as_the_button_makes_it_answers_to_its_own_pages(
    app: App, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And as a pull request makes it: with the variables of app.json, and without Heroku telling it its name."""
    variables = json.loads((ROOT / "app.json").read_text())["env"]
    with changed(app, site), monkeypatch.context() as patch:
        patch.setattr(app, "features", set())
        app.set_config({name: about["value"] for name, about in variables.items() if "value" in about})
        settled(app, site)
        assert Visitor(site.base_url).get("/").status == 200
        alice = await enter(site.ws_url, new_room(), headers={"Origin": site.base_url})
        await alice.leave()
        with pytest.raises(InvalidStatus):
            await dial(site.ws_url + room_path(new_room()), headers={"Origin": "https://evil.example"})


async def test_people_talk_through_the_daily_restart_and_nothing_is_lost(heroku: Heroku, app: App, site: Site) -> None:
    retired = len(app.retired)
    carol = await enter(site.ws_url, new_room("listening"))

    async def restart() -> None:
        await asyncio.to_thread(app.restart)
        await asyncio.to_thread(until, lambda: len(app.retired) > retired, "the old dyno's end", 40)

    account = await keep(4 * [site.ws_url], new_room("ledger"), heroku.postgres, restart)
    print(account)
    assert account.faultless, account
    assert account.dials >= 8, "everybody had to come back"
    assert (await carol.of_type("goodbye"))["reason"] == "restart"
    assert await carol.closed() == 4501
    assert app.retired[-1].exit_code == 0, "it left before it was killed"


async def test_five_hundred_at_the_door_of_a_dyno_that_is_full_or_leaves_are_all_answered(
    heroku: Heroku, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the dyno itself: it never ends a connection without an answer, for which the router would have to answer."""
    with monkeypatch.context() as patch:
        patch.setattr(app, "config", app.config | {"MAX_SOCKETS": str(ROOM)})
        await asyncio.to_thread(app.restart)
        crowd = [Knock(heroku, app) for _ in range(CROWD)]
        full = Counter(await asyncio.gather(*(each.answer() for each in crowd)))
        assert full == {"101": ROOM, "503 overloaded": CROWD - ROOM}
        for each in crowd:
            each.writer.close()
        (web,) = app.dynos
        leaves = [asyncio.create_task(Knock(heroku, app).answer()) for _ in range(CROWD)]
        await asyncio.wait(leaves, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.to_thread(web.signal_all, signal.SIGTERM)  # which the router does not know yet
    await asyncio.to_thread(app.restart)
    answers = Counter(await asyncio.gather(*leaves))
    print(answers)
    assert set(answers) <= {"101", "503 overloaded", "503 draining"}, answers


class Knock:
    """Somebody who asks for a socket by the router, and keeps it."""

    writer: asyncio.StreamWriter

    def __init__(self, heroku: Heroku, app: App) -> None:
        self.port, self.host = heroku.port, app.domain
        self.trusting = ssl.create_default_context(cafile=str(heroku.authority.certificate))

    async def answer(self) -> str:
        """101, or the status and what else was said; empty where the connection ended."""
        reader, self.writer = await asyncio.open_connection(
            LOOPBACK, self.port, ssl=self.trusting, server_hostname=self.host, ssl_handshake_timeout=SECONDS
        )
        self.writer.write(HANDSHAKE.format(path=room_path("crowd"), host=self.host).encode())
        async with asyncio.timeout(SECONDS):
            status = (await reader.readline()).decode().split()[1:2]
            if status != ["101"]:
                status.append((await reader.read()).decode().rpartition("\r\n\r\n")[2])
        return " ".join(status)


@pytest.fixture
def stubborn(heroku: Heroku, app: App) -> Dyno:
    dyno = Dyno("worker.1", app.current.processes["web"].image, STUBBORN, {}, 1, heroku.network)
    until(lambda: len(dyno.processes()) >= 3, "both shells")
    return dyno


def test_every_process_is_told_to_leave_and_who_stays_is_killed(stubborn: Dyno) -> None:
    stubborn.stop(grace=2)
    assert "the parent was told" in stubborn.output()
    assert "the child was told" in stubborn.output()
    assert stubborn.exit_code == 128 + 9


async def test_two_dynos_are_one_site_within_the_plans(heroku: Heroku, app: App, site: Site) -> None:
    with changed(app, site):
        for line in commands("docs/heroku.md", "More dynos, other plans"):
            heroku.run(line, heroku.folder)
        until(lambda: [each.up for each in app.dynos] == [True, True], "two dynos", 180)
        room = new_room()
        people = [await enter(site.ws_url, room) for _ in range(12)]
        await people[0].say("Who hears me?")
        for each in people:
            await each.hears("Who hears me?")
        assert all(each.connections() > 0 for each in app.dynos)
        assert heroku.redis.clients() <= CONNECTIONS // 2
        for each in people:
            await each.leave()
        heroku.run(f"heroku ps:scale web=1 --app {APP}", heroku.folder)


def test_connections_that_the_plans_do_not_have_are_refused_by_the_release_phase(app: App) -> None:
    before, config, dynos = app.current, app.config, list(app.dynos)
    app.set_config({"REPLICAS": "2"})
    assert app.releases[-1].ended.wait(60)
    app.config = config
    assert app.releases[-1].status == "failed"
    assert "DATABASE_CONNECTIONS is 20, and a deploy may need 34." in str(app.releases[-1].output)
    assert app.current is before
    assert app.dynos == dynos


@contextmanager
def changed(app: App, site: Site, **config: str) -> Iterator[None]:
    """Each change is a release with a dyno of its own. Afterwards all is as it was before."""
    before = app.config
    try:
        if config:
            app.set_config(config)
            settled(app, site)
        yield
    finally:
        app.set_config({name: before.get(name) for name in app.config})
        settled(app, site)


def settled(app: App, site: Site) -> None:
    assert app.releases[-1].ended.wait(60)
    assert app.releases[-1].status == "succeeded", str(app.releases[-1].output)
    until(lambda: Visitor(site.base_url).get("/health/ready").status == 200, "a ready dyno", 180)
