"""Tokens and tickets in the whole stack: made on a page, borne through nginx, ended everywhere, written nowhere."""

import asyncio
import base64
import contextlib
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from client import Socket, dial, new_id, new_room, room_path
from servers.app import FOREIGN_APP, Image
from servers.postgres import Postgres
from servers.process import everything
from servers.stack import SERVERS, Stack
from visitor import Visitor

FRIEND = "https://friend.example"
PAGE = "/accounts/tokens/"


@pytest.fixture(scope="module")
def stack(image: Image, postgres: Postgres) -> Iterator[Stack]:
    """A process of each server, with the foreign app, which log all they can."""
    loud = FOREIGN_APP | {"DJANGO_SETTINGS_MODULE": "apps.loud"}
    with Stack(image, postgres, SERVERS, ALLOWED_ORIGINS=FRIEND, **loud) as running:
        yield running


@pytest.fixture
def alice(stack: Stack) -> Visitor:
    name = f"alice-{new_id()}"
    password = stack.make_user(name)
    visitor = Visitor(stack.base_url)
    assert visitor.post("/accounts/login/", {"username": name, "password": password}).status == 302
    return visitor


def token_of(visitor: Visitor, **form: str) -> str:
    page = visitor.post(PAGE, {"name": "a bot", "topics": "*", "acts": "write", "days": "30", **form})
    [secret] = re.findall(r'<code id="secret">(.*?)</code>', page.text)
    return str(secret)


def as_subprotocol(secret: str) -> str:
    return "bearer." + base64.urlsafe_b64encode(secret.encode()).decode().rstrip("=")


def ask(stack: Stack, path: str, secret: str, body: Any = None, **headers: str) -> Any:
    """The answer's JSON, through nginx."""
    named = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json", **headers}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(stack.base_url + path, data, named)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


async def comes(url: str, secret: str, *, by_header: bool = False, origin: str = "") -> Socket:
    headers = {"Authorization": f"Bearer {secret}"} if by_header else {}
    headers |= {"Origin": origin} if origin else {}
    offered = ["topics.v1"] if by_header else [as_subprotocol(secret), "topics.v1"]
    return Socket(await dial(f"{url}/ws/", subprotocols=offered, headers=headers))


async def test_a_bot_follows_sends_and_ends_wherever_it_is_when_its_token_is_revoked(
    stack: Stack, alice: Visitor
) -> None:
    topic = f"votes/{new_id()}"
    secret, other = token_of(alice, acts="write"), token_of(alice, acts="read")
    assert ask(stack, f"/topics/{topic}", secret, {"data": {"option": "pizza"}})["seq"] == 1
    assert ask(stack, f"/topics/{topic}", other)["seq"] == 1
    bots = [
        await comes(server.ws_url, other, by_header=by_header) for server in stack.ws for by_header in (True, False)
    ]
    through_nginx = await comes(stack.ws_url, secret)
    assert through_nginx.connection.subprotocol == "topics.v1"
    for bot in bots:
        assert (await bot.of_type("welcome"))["you"]["name"].startswith("alice")
        await bot.send({"type": "join", "topic": topic})
        await bot.of_type("joined")
    await asyncio.to_thread(revoke, alice, "read")
    for bot in bots:
        assert (await bot.of_type("goodbye"))["reason"] == "login_required"
        assert await bot.closed() == 4401
    assert through_nginx.connection.close_code is None
    await through_nginx.leave()


async def test_a_bot_talks_in_a_room_by_the_same_token(stack: Stack, alice: Visitor) -> None:
    secret = token_of(alice, acts="read")
    offered = [as_subprotocol(secret), "rooms.v1"]
    bot = Socket(await dial(stack.ws_url + room_path(new_room()), subprotocols=offered))
    welcome = await bot.of_type("welcome")
    assert welcome["you"]["name"].startswith("alice")
    assert bot.connection.subprotocol == "rooms.v1"
    await bot.leave()
    carol = Socket(await dial(stack.ws_url + room_path(new_room()), headers={"Authorization": "Bearer nonsense"}))
    assert await carol.closed() == 4401


def revoke(visitor: Visitor, acts: str) -> None:
    row = next(row for row in visitor.get(PAGE).text.split("<tr>") if f"<td>{acts}</td>" in row)
    [path] = re.findall(r'action="(.*?)"', row)
    assert visitor.post(path, {}, seen_on=PAGE).status == 302


async def test_a_ticket_lets_one_in_whichever_processes_are_asked_at_once(stack: Stack, alice: Visitor) -> None:
    secret = token_of(alice, acts="read")
    for _ in range(5):
        ticket = ask(stack, "/topics/ticket", secret, {})["ticket"]
        pages = await asyncio.gather(
            *(comes(server.ws_url, ticket, origin=FRIEND) for server in stack.ws for _ in "12")
        )
        first = [await page.next_after(0, "a welcome or a goodbye") for page in pages]
        assert sorted(frame["type"] for frame in first) == ["goodbye", "goodbye", "goodbye", "welcome"]
        for page in pages:
            await page.leave()


async def test_who_is_logged_in_gets_a_ticket_that_ends_with_the_log_out(stack: Stack, alice: Visitor) -> None:
    answer = alice.post_raw("/topics/ticket", b"", Origin=stack.base_url)
    assert answer.status == 201
    page = await comes(stack.ws_url, json.loads(answer.body)["ticket"], origin=FRIEND)
    await page.send({"type": "join", "topic": f"votes/{new_id()}"})
    await page.of_type("joined")
    alice.post("/accounts/logout/", {}, seen_on=PAGE)
    assert await page.closed() == 4401
    foreign = alice.post_raw("/topics/ticket", b"", Origin="https://evil.example")
    assert foreign.status == 403


async def test_no_secret_is_in_any_log(stack: Stack, alice: Visitor) -> None:
    """Used as it should be and in all wrong ways, while every logger of every process says all it can."""
    token = token_of(alice)
    ticket = ask(stack, "/topics/ticket", token, {})["ticket"]
    secrets = [token, f"{token[:-3]}xyz", ticket, "carols-own-secret-of-another-place"]
    for url in (*(server.ws_url for server in stack.ws), stack.ws_url):
        for secret in secrets:
            for by_header in (True, False):
                bot = await comes(url, secret, by_header=by_header)
                await bot.next_after(0, "an answer")
                await bot.leave()
    for path in (PAGE, "/topics/ticket", "/topics/votes/lunch", "/admin/", "/topics/%00", "/nowhere"):
        for secret in secrets:
            with contextlib.suppress(urllib.error.HTTPError, ValueError):
                ask(stack, path, secret)
            alice.post_raw(path, b"{", Authorization=f"Bearer {secret}", Content_Type="application/json")
    for server in stack.application:
        assert '"level": "debug"' in server.output()
    written = "".join(process.output() for process in everything())
    for secret in secrets:
        assert secret not in written
        assert as_subprotocol(secret) not in written
