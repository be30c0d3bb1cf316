"""The pages, for people whose browser runs no JavaScript: through nginx, served by gunicorn."""

import html
import re

import pytest

from client import enter, new_id, new_room
from servers.app import Server
from servers.stack import Stack
from visitor import Page, Visitor, room_page


@pytest.fixture
def alice(stack: Stack) -> Visitor:
    return Visitor(stack.base_url)


@pytest.fixture
def bob(stack: Stack) -> Visitor:
    return Visitor(stack.base_url)


def test_alice_opens_a_room_talks_and_bob_answers(alice: Visitor, bob: Visitor) -> None:
    opened = alice.post("/", {"name": new_room("茶馆")}, seen_on="/")
    path = opened.headers["Location"]
    assert opened.status == 303
    for visitor, body in [(alice, "Hello, Bob!"), (bob, "你好，Alice！")]:
        sent = visitor.post(path, {"body": body})
        assert (sent.status, sent.headers["Location"]) == (303, path)
    for visitor in (alice, bob):
        assert bodies(visitor.get(path)) == ["Hello, Bob!", "你好，Alice！"]
    assert path in alice.get("/").text, "the lobby shows where somebody talks"


def test_a_reload_or_a_second_click_posts_nothing_twice(alice: Visitor) -> None:
    path, id = room_page(new_room()), new_id()
    for _ in range(2):
        assert alice.post(path, {"body": "once", "id": id}).status == 303
    assert bodies(alice.get(path)) == ["once"]
    assert alice.post(path, {"body": "another", "id": id}).status == 409
    assert bodies(alice.get(path)) == ["once"]


@pytest.mark.parametrize(("body", "status"), [("", 422), ("   ", 422), ("x" * 4001, 422), ("x" * 4000, 303)])
def test_the_form_holds_to_the_limits_of_the_protocol(alice: Visitor, body: str, status: int) -> None:
    assert alice.post(room_page(new_room()), {"body": body}).status == status


def test_what_looks_like_markup_stays_text(alice: Visitor) -> None:
    path, body = room_page(new_room()), '<script>alert(1)</script>"&'
    alice.post(path, {"body": body})
    assert "<script>alert" not in alice.get(path).text
    assert bodies(alice.get(path)) == [body]


def test_a_form_of_another_site_is_refused(stack: Stack, alice: Visitor) -> None:
    path = room_page(new_room())
    alice.get(path)
    assert alice.post_raw(path, b"body=forged").status == 403
    assert bodies(alice.get(path)) == []


@pytest.mark.parametrize("name", ["Алиса", "علی\u200cرضا", "രാജന\u0d4d\u200d", "👩🏽\u200d💻"])
async def test_a_guests_new_name_is_used_on_pages_and_sockets(stack: Stack, alice: Visitor, name: str) -> None:
    room = new_room()
    assert alice.post("/name/", {"name": name}, seen_on="/").status == 303
    alice.post(room_page(room), {"body": "by form"})
    async with await enter(stack.ws_url, room, headers=alice.cookies) as socket:
        assert socket.welcome["you"] == {"key": socket.welcome["key"], "name": name, "guest": True}
        await socket.say("by socket")
        await socket.hears("by socket")
        assert [message["user"] for message in socket.messages()] == [socket.welcome["you"]] * 2


async def test_who_logs_in_is_called_by_the_accounts_name(stack: Stack, alice: Visitor) -> None:
    name = new_id()
    password = stack.make_user(name)
    assert alice.post("/accounts/login/", {"username": name, "password": "wrong"}).status == 200
    assert alice.post("/accounts/login/", {"username": name, "password": password}).status == 302
    async with await enter(stack.ws_url, new_room(), headers=alice.cookies) as socket:
        assert socket.welcome["you"] == {"key": socket.welcome["key"], "name": name, "guest": False}
    alice.post("/accounts/logout/", {}, seen_on="/")
    async with await enter(stack.ws_url, new_room(), headers=alice.cookies) as socket:
        assert socket.welcome["you"]["guest"] is True


def test_the_ws_role_serves_the_same_site(stack: Stack) -> None:
    """One process is a whole site: `make run` and Heroku have no other."""
    path, alone = room_page(new_room()), Visitor(stack.ws[0].url)
    assert alone.post(path, {"body": "without gunicorn"}).status == 303
    assert bodies(Visitor(stack.base_url).get(path)) == ["without gunicorn"]
    for asset in assets(alone.get(path)):
        assert alone.get(asset).body == Visitor(stack.base_url).get(asset).body


def test_the_admin_is_there_for_staff_only(stack: Stack, alice: Visitor) -> None:
    assert alice.get("/admin/").status == 302
    name = new_id()
    password = stack.make_user(name, staff=True)
    alice.post("/admin/login/", {"username": name, "password": password})
    assert alice.get("/admin/").status == 200


def test_pages_that_are_not_there_say_so(alice: Visitor) -> None:
    for path in ("/nowhere", "/room/a%20b/", "/room/a%0a/", "/room/%F0%9F%8D%B5/", "/static/nothing.js"):
        assert alice.get(path).status == 404, path


def test_static_files_are_hashed_compressed_and_kept(alice: Visitor) -> None:
    links = assets(alice.get(room_page(new_room())))
    assert {link.rpartition(".")[2] for link in links} >= {"js", "css", "svg"}
    for link in links:
        assert re.search(r"\.[0-9a-f]{12}\.\w+$", link), f"{link} carries no hash"
        plain = alice.get(link, Accept_Encoding="identity")
        zipped = alice.get(link, Accept_Encoding="gzip")
        assert plain.status == zipped.status == 200
        assert "Content-Encoding" not in plain.headers
        assert "immutable" in plain.headers["Cache-Control"]
        if link.endswith(".png"):  # small already
            assert zipped.body == plain.body
            continue
        assert "Accept-Encoding" in plain.headers["Vary"]
        assert zipped.text == plain.text
        if len(plain.body) > 1000:
            assert len(zipped.body) < len(plain.body) * 0.8


def test_modules_import_each_other_by_their_hashed_names(alice: Visitor) -> None:
    seen: set[str] = set()
    waiting = [link for link in assets(alice.get(room_page(new_room()))) if link.endswith(".js")]
    while waiting:
        seen.add(link := waiting.pop())
        source = alice.get(link)
        assert source.status == 200, link
        found = [f"/static/rooms/{name}" for name in re.findall(r'from\s*"\./([^"]+)"', source.text)]
        assert all(re.search(r"\.[0-9a-f]{12}\.js$", name) for name in found), found
        waiting += [name for name in found if name not in seen]
    assert len(seen) > 1


@pytest.mark.parametrize("check", ["live", "ready"])
def test_every_process_tells_its_health(stack: Stack, check: str) -> None:
    processes: list[Server] = stack.application
    assert [process.health(check) for process in processes] == [200] * len(processes)


def bodies(page: Page) -> list[str]:
    """The messages that a room's page shows."""
    listed = re.findall(r'<li class="message[^"]*" id="m\d+".*?</li>', page.text, re.DOTALL)
    return [html.unescape(re.findall(r'<p class="body"[^>]*>(.*?)</p>', item, re.DOTALL)[0]) for item in listed]


def assets(page: Page) -> list[str]:
    return sorted(set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)))
