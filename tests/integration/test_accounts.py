"""Alice's account from its first day to its last: by the pages of gunicorn, with a socket at each of both servers."""

import asyncio
import json
import re
import time
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from client import Socket, enter, new_id, new_room
from servers.app import Image
from servers.ports import free_port
from servers.postgres import Postgres
from servers.stack import SERVERS, Stack
from visitor import Page, Visitor, room_page

PASSWORD, ANOTHER = "correct horse battery", "another horse battery"
SECONDS = 60.0  # for whatever has to come at all
MESSAGES = 1_200  # more than two transactions take


class Post(Message):
    """A mail server: what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.letters: list[Any] = []
        self.port = free_port()
        self._controller: Any = None

    def handle_message(self, message: EmailMessage) -> None:
        self.letters.append(message)

    def open(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def close(self) -> None:
        if self._controller is not None:
            self._controller.stop()


@pytest.fixture(scope="module")
def post() -> Iterator[Post]:
    server = Post()
    yield server
    server.close()


@pytest.fixture(scope="module")
def stack(image: Image, postgres: Postgres, post: Post) -> Iterator[Stack]:
    mail = {"EMAIL_URL": f"smtp://127.0.0.1:{post.port}", "DEFAULT_FROM_EMAIL": "Rooms <rooms@example.org>"}
    with Stack(image, postgres, SERVERS, SIGN_UPS_PER_ADDRESS="0", RESETS_PER_ADDRESS="0", **mail) as running:
        yield running


class Account:
    def __init__(self, stack: Stack) -> None:
        self.stack, self.name = stack, new_room("alice")
        self.address = f"{self.name}@example.org"

    async def sign_up(self) -> Visitor:
        form = {"username": self.name, "email": self.address, "password1": PASSWORD, "password2": PASSWORD}
        browser = Visitor(self.stack.base_url)
        page = await post_form(browser, "/accounts/sign-up/", form)
        assert page.status == 302, page.text
        return browser

    async def log_in(self, password: str = PASSWORD) -> Visitor:
        browser = Visitor(self.stack.base_url)
        page = await post_form(browser, "/accounts/login/", {"username": self.name, "password": password})
        assert page.status == 302, page.text
        return browser

    async def enter(self, browser: Visitor, room: str) -> list[Socket]:
        """A socket at each server."""
        return [await enter(process.ws_url, room, headers=browser.cookies) for process in self.stack.ws]


async def post_form(browser: Visitor, path: str, form: dict[str, str], seen_on: str | None = None) -> Page:
    return await asyncio.to_thread(browser.post, path, form, seen_on=seen_on)


async def closed(sockets: list[Socket], code: int) -> None:
    assert [await socket.closed(SECONDS) for socket in sockets] == [code] * len(sockets)


async def stay(sockets: list[Socket]) -> None:
    for socket in sockets:
        await socket.say(f"still here {new_id()}")
        await socket.leave()


async def until(is_so: Any, what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not await asyncio.to_thread(is_so):
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.1)


async def test_alice_logs_out_her_lost_phone(stack: Stack) -> None:
    alice, room = Account(stack), new_room()
    desk, phone = await alice.sign_up(), await alice.log_in()
    here, there = await alice.enter(desk, room), await alice.enter(phone, room)
    page = await asyncio.to_thread(desk.get, "/accounts/")
    assert await asyncio.to_thread(lambda: phone.get("/accounts/").status) == 200
    [end] = re.findall(r'action="(/accounts/sessions/\d+/end/)"', page.text)
    await post_form(desk, end, {}, seen_on="/accounts/")
    await closed(there, 4401)
    await stay(here)


async def test_another_password_ends_every_other_session_and_its_sockets(stack: Stack) -> None:
    alice, room = Account(stack), new_room()
    desk, phone = await alice.sign_up(), await alice.log_in()
    there = await alice.enter(phone, room)
    form = {"old_password": PASSWORD, "new_password1": ANOTHER, "new_password2": ANOTHER}
    assert (await post_form(desk, "/accounts/password/", form)).status == 302
    await closed(there, 4401)
    await stay(await alice.enter(desk, room))
    await alice.log_in(ANOTHER)


async def test_a_letter_is_sent_though_the_mail_server_was_away(stack: Stack, post: Post) -> None:
    alice, room = Account(stack), new_room()
    before = await alice.enter(await alice.sign_up(), room)
    forgetful = Visitor(stack.base_url)
    assert (await post_form(forgetful, "/accounts/reset/", {"email": alice.address})).status == 302
    tried = "SELECT 1 FROM accounts_letter WHERE tries > 0"
    await until(lambda: stack.database.rows(tried), "nobody has tried to send the letter")
    assert post.letters == []
    post.open()
    stack.web.kill()  # and whatever it had in mind
    stack.web.start()
    stack.database.do("UPDATE accounts_letter SET next_at = now()")
    await asyncio.to_thread(forgetful.get, "/accounts/reset/sent/")
    await until(lambda: post.letters, "the letter has not come")
    [letter] = post.letters
    assert (letter["To"], letter["From"]) == (alice.address, "Rooms <rooms@example.org>")
    text = letter.get_payload(decode=True).decode()
    [path] = re.findall(rf"^{re.escape(stack.base_url)}(/accounts/reset/\S+)", text, re.MULTILINE)
    leads = (await asyncio.to_thread(forgetful.get, path)).headers["Location"]
    form = {"new_password1": ANOTHER, "new_password2": ANOTHER}
    assert (await post_form(forgetful, leads, form)).status == 302
    await closed(before, 4401)
    await alice.log_in(ANOTHER)
    await until(lambda: not stack.database.rows("SELECT 1 FROM accounts_letter"), "the letter is still kept")


SAY = """
from django.contrib.auth.models import User
from rooms.topics import RoomTopic
from topics.storing import log, logs
alice, topic = User.objects.get(username={name!r}), RoomTopic(room={room!r})
from topics.people import of_user
key, person = logs.key_of(topic, None), of_user(alice)
log.append_all([log.New(key, f"id-{{n}}", person, '{{"body":"word"}}') for n in range({many})])
"""


async def test_alice_leaves_and_her_name_with_her(stack: Stack) -> None:
    alice, room = Account(stack), new_room()
    browser = await alice.sign_up()
    stack.manage("shell", "--command", SAY.format(name=alice.name, room=room, many=MESSAGES))
    hers = await alice.enter(browser, room)
    readers = [await enter(process.ws_url, room) for process in stack.ws]
    key = hers[0].you["key"]
    assert alice.name in json.dumps(readers[0].welcome)
    page = await post_form(browser, "/accounts/delete/", {"password": PASSWORD})
    assert "Your account is deleted" in page.text
    await closed(hers, 4403)
    for reader in readers:
        told = await reader.until(lambda frame: frame.get("about") == MESSAGES, "that she has left", SECONDS)
        assert (told["user"]["key"], told["user"]["name"]) == (key, "Former member")
        assert told["body"] == "word"
        await reader.leave()
    named = "SELECT 1 FROM topics_entry WHERE name = %s LIMIT 1"
    assert stack.database.rows(named, [alice.name]) == []
    for process in stack.ws:  # also to who comes back with what is remembered
        back = await enter(process.ws_url, room, since=MESSAGES - 10, epoch=readers[0].welcome["epoch"])
        if hers[0].you in back.welcome["members"]:  # presence takes a moment from process to process
            await back.sees("left", hers[0].you, SECONDS)
        assert alice.name not in json.dumps(back.messages())
        await back.leave()
    text = (await asyncio.to_thread(Visitor(stack.base_url).get, room_page(room))).text
    assert alice.name not in text
    assert text.count("Former member") > 40
