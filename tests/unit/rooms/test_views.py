"""The pages as a browser without JavaScript has them."""

import re
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.db import DataError, OperationalError
from django.test import Client
from prometheus_client import REGISTRY

from rooms import errors, views
from rooms.models import Room
from rooms.topics import RoomTopic
from topics import BadData, Busy, rates
from topics.models import Entry, Log
from topics.people import guest_of

pytestmark = pytest.mark.django_db

TEAHOUSE = RoomTopic(room="teahouse")


@pytest.fixture
def carol() -> Client:
    """An outsider: she has an account and is not logged in."""
    User.objects.create_user("carol", password="correct horse")
    return Client()


# --- The room --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_makes_no_room_and_the_first_message_does(alice: Client, bob: Client, method: str) -> None:
    assert getattr(alice, method)("/room/teahouse/").status_code == 200
    assert not Room.objects.exists()
    shown = attribute(alice.get("/room/teahouse/"), "epoch")
    say(bob, "hello")
    assert Room.objects.get().name == "teahouse"
    assert TEAHOUSE.position() == (shown, 1)
    assert bodies(alice) == ["hello"]


def test_a_message_that_is_refused_makes_no_room(alice: Client) -> None:
    assert say(alice, "").status_code == 422
    assert not Room.objects.exists()


@pytest.mark.parametrize("name", ["茶馆", "हिन्दी", "a_b-c9", "x" * 64])
def test_a_room_may_have_a_name_in_any_script(alice: Client, name: str) -> None:
    page = alice.get(f"/room/{quote(name)}/")
    assert page.status_code == 200
    assert attribute(page, "room") == name


@pytest.mark.parametrize("name", ["a b", "a\n", "\n", "a/b", "<b>", "x" * 65, "🍵", ""])
@pytest.mark.parametrize("debug", [False, True])
def test_an_invalid_name_is_a_404_with_a_sentence(alice: Client, settings: Any, name: str, debug: bool) -> None:
    settings.DEBUG = debug
    page = alice.get(f"/room/{quote(name)}/")
    assert page.status_code == 404
    assert "its name has 1 to 64 letters" in page.content.decode()
    assert not Room.objects.exists()


def test_what_alice_posts_bob_reads(alice: Client, bob: Client) -> None:
    answer = say(alice, "Hello, Bob!")
    assert (answer.status_code, answer["Location"]) == (303, "/room/teahouse/")
    say(bob, "你好\r\nAlice")
    assert bodies(alice) == bodies(bob) == ["Hello, Bob!", "你好\nAlice"]


def test_own_messages_are_marked(alice: Client, bob: Client) -> None:
    say(alice, "mine")
    assert mine(alice) == ["mine"]
    assert mine(bob) == []


def test_own_messages_are_known_by_the_person_and_never_by_the_name(alice: Client, bob: Client) -> None:
    for somebody in (alice, bob):
        somebody.post("/name/", {"name": "Alice"})
    say(alice, "I am Alice")
    say(bob, "No, I am")
    assert (mine(alice), mine(bob)) == (["I am Alice"], ["No, I am"])
    alice.post("/name/", {"name": "Alice the First"})
    assert mine(alice) == ["I am Alice"]
    marks = re.findall(r'<path d="([^"]*)"', page_of(alice))
    assert marks[0] != marks[1]


def test_the_page_shows_the_latest_fifty_and_says_where_the_socket_goes_on(alice: Client) -> None:
    for number in range(1, 61):
        TEAHOUSE.append({"body": f"n{number}"}, by=guest_of(None))
    page = alice.get("/room/teahouse/")
    assert bodies(alice) == [f"n{number}" for number in range(11, 61)]
    assert attribute(page, "seq") == "60"
    assert attribute(page, "epoch") == TEAHOUSE.position().epoch


def test_the_same_form_sent_twice_is_one_message(alice: Client) -> None:
    form_id = hidden_id(page_of(alice))
    assert [say(alice, "once", form_id).status_code for _ in range(2)] == [303, 303]
    assert bodies(alice) == ["once"]
    assert hidden_id(page_of(alice)) != form_id


def test_another_text_in_a_form_that_was_sent_is_kept_and_gets_a_new_id(alice: Client) -> None:
    say(alice, "first", "an-id")
    page = say(alice, "second", "an-id")
    assert page.status_code == 409
    assert typed(page) == "second"
    assert say(alice, "second", hidden_id(page.content.decode())).status_code == 303
    assert bodies(alice) == ["first", "second"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("", "Write something first."),
        (" \r\n ", "Write something first."),
        ("x" * 4001, "That is 4001 characters. A message has at most 4000."),
        ("a\0b", "Null characters are not allowed."),
    ],
)
def test_what_cannot_be_said_is_kept_beside_the_reason(alice: Client, body: str, sentence: str) -> None:
    page = say(alice, body, "an-id")
    assert page.status_code == 422
    assert sentence in page.content.decode()
    assert typed(page).strip() == body.strip()
    assert hidden_id(page.content.decode()) == "an-id"
    assert not Entry.objects.exists()


def test_emoji_and_line_ends_count_as_one_character(alice: Client) -> None:
    assert say(alice, "🍵" * 4000).status_code == 303
    assert say(alice, "a\r\n" * 1999 + "ab").status_code == 303


def test_an_id_out_of_bounds_is_refused(alice: Client) -> None:
    assert say(alice, "hello", "x" * 65).status_code == 422
    assert not Entry.objects.exists()


@pytest.mark.parametrize("trouble", [Busy, OperationalError])
def test_what_cannot_be_stored_now_is_kept_with_its_id(
    alice: Client, monkeypatch: pytest.MonkeyPatch, trouble: type[Exception]
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise trouble

    monkeypatch.setattr(RoomTopic, "append", fail)
    page = say(alice, "hold on", "an-id")
    assert page.status_code == 503
    assert (typed(page), hidden_id(page.content.decode())) == ("hold on", "an-id")


@pytest.mark.parametrize("trouble", [BadData, DataError])
def test_what_can_never_be_stored_is_kept_beside_the_reason(
    alice: Client, monkeypatch: pytest.MonkeyPatch, trouble: type[Exception]
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise trouble

    monkeypatch.setattr(RoomTopic, "append", fail)
    page = say(alice, "hold on", "an-id")
    assert page.status_code == 422
    assert "cannot be stored here" in page.content.decode()


def test_what_is_sent_too_fast_is_kept_and_others_go_on(alice: Client, bob: Client, settings: Any) -> None:
    settings.MESSAGE_RATE, settings.MESSAGE_BURST = 0.001, 2
    for browser in (alice, bob):
        browser.get("/")
    assert [say(alice, f"{number}").status_code for number in range(3)] == [303, 303, 429]
    page = say(alice, "and this", "an-id")
    assert (typed(page), hidden_id(page.content.decode())) == ("and this", "an-id")
    assert "That was too fast." in page.content.decode()
    assert say(bob, "hello").status_code == 303


def test_markup_is_text(alice: Client) -> None:
    body = "<script>alert(1)</script>\"'&"
    say(alice, body)
    assert "<script>alert" not in page_of(alice)
    assert bodies(alice) == [body]


def test_a_form_without_its_token_is_refused_with_a_sentence() -> None:
    carol = Client(enforce_csrf_checks=True)
    page = carol.post("/room/teahouse/", {"body": "forged"})
    assert page.status_code == 403
    assert "out of date" in page.content.decode()
    assert not Entry.objects.exists()


# --- The lobby ---------------------------------------------------------------------------------------


def test_the_lobbys_form_makes_the_room(alice: Client) -> None:
    alice.post("/", {"name": "teahouse"})
    assert Room.objects.get().name == "teahouse"


def test_who_has_made_enough_rooms_is_told_so_and_may_enter_those_that_are_there(
    alice: Client, bob: Client, settings: Any
) -> None:
    settings.ROOMS_PER_PERSON = 1
    alice.get("/")
    say(alice, "hello", room="first")
    for refused in (alice.post("/", {"name": "second"}), say(alice, "hello", room="second")):
        assert refused.status_code == 429
        assert "too many rooms within an hour" in refused.content.decode()
    assert typed(say(alice, "my words", room="second")) == "my words"
    bob.get("/")
    say(bob, "hello", room="bobs")
    assert say(alice, "hello", room="bobs").status_code == 303
    assert alice.post("/", {"name": "bobs"}).status_code == 303


def test_a_new_identity_for_each_room_is_bounded_by_the_address(settings: Any) -> None:
    settings.ROOMS_PER_ADDRESS = 2
    answers = [Client().post("/", {"name": f"room-{number}"}).status_code for number in range(3)]
    assert answers == [303, 303, 429]
    other = Client(REMOTE_ADDR="192.0.2.7")
    assert other.post("/", {"name": "room-2"}).status_code == 303


def test_one_makers_many_new_rooms_push_nobody_elses_out_of_the_lobby(
    alice: Client, bob: Client, settings: Any
) -> None:
    settings.ROOMS_PER_PERSON = 100
    alice.get("/")
    bob.get("/")
    say(bob, "hello", room="bobs")
    for number in range(60):
        say(alice, "look here", room=f"room-{number}")
    lobby = re.findall(r'href="/room/([\w-]+)/"', Client().get("/").content.decode())
    assert len(lobby) == 50
    assert lobby[-1] == "bobs"
    assert lobby[:3] == ["room-59", "room-58", "room-57"]


def test_the_lobby_lists_rooms_by_latest_activity(alice: Client) -> None:
    for room in ("older", "newer"):
        say(alice, "hello", room=room)
    say(alice, "again", room="older")
    lobby = alice.get("/").content.decode()
    assert re.findall(r'href="/room/(\w+)/"', lobby) == ["older", "newer"]
    assert "2 messages" in lobby
    assert "1 message<" in lobby


def test_the_lobby_shows_no_room_without_a_name_that_can_be_seen(alice: Client) -> None:
    for name in ("\u3164", "a\ufe0f", "teahouse"):  # made when such names were taken
        Room.objects.create(name=name)
        Log.objects.create(name=f"room/{name}", seq=1)
    assert re.findall(r'href="/room/(.*?)/"', alice.get("/").content.decode()) == ["teahouse"]


@pytest.mark.parametrize(
    ("typed_name", "path"), [("teahouse", "teahouse"), ("  Our tea house ", "Our-tea-house"), ("e\u0301", "\u00e9")]
)
def test_a_room_is_opened_by_its_name(alice: Client, typed_name: str, path: str) -> None:
    answer = alice.post("/", {"name": typed_name})
    assert (answer.status_code, answer["Location"]) == (303, f"/room/{quote(path)}/")


@pytest.mark.parametrize("name", ["", "no/slash", "x" * 65, "a\0"])
def test_a_name_that_no_room_can_have_is_kept_beside_the_reason(alice: Client, name: str) -> None:
    page = alice.post("/", {"name": name})
    assert page.status_code == 422
    assert "errorlist" in page.content.decode()
    assert f'value="{name}"' in page.content.decode() or not name


# --- Who is asking -----------------------------------------------------------------------------------


def test_a_guest_stays_the_same_from_page_to_page(alice: Client, bob: Client) -> None:
    alice.get("/")
    first = guest_of(alice.cookies["guest"].value)
    alice.get("/room/teahouse/")
    assert guest_of(alice.cookies["guest"].value) == first
    bob.get("/")
    assert guest_of(bob.cookies["guest"].value).key != first.key


def test_a_guest_changes_her_name_and_returns_to_where_she_was(alice: Client) -> None:
    alice.get("/")
    before = guest_of(alice.cookies["guest"].value)
    answer = alice.post("/name/", {"name": " Алиса ", "next": "/room/teahouse/"})
    assert (answer.status_code, answer["Location"]) == (303, "/room/teahouse/")
    after = guest_of(alice.cookies["guest"].value)
    assert (after.key, after.name) == (before.key, "Алиса")
    assert "Алиса" in page_of(alice)


@pytest.mark.parametrize("name", ["", "x" * 33, "a\u202eb"])
def test_a_name_that_nobody_can_have_is_refused_with_a_sentence(alice: Client, name: str) -> None:
    page = alice.post("/name/", {"name": name})
    assert page.status_code == 422
    assert "A name " in page.content.decode()


def test_who_has_had_many_names_keeps_one_for_a_moment(
    alice: Client, bob: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "NAMES_A_SECOND", 0.001)
    before = REGISTRY.get_sample_value("realtime_limited_total", {"limit": "renames"}) or 0
    alice.get("/")
    for number in range(rates.NAMES_AT_ONCE):
        assert alice.post("/name/", {"name": f"Alice {number}"}).status_code == 303
    refused = alice.post("/name/", {"name": "Alice for good"})
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 1_000
    assert "keep this one for a moment" in refused.content.decode()
    assert guest_of(alice.cookies["guest"].value).name == f"Alice {number}"
    assert bob.post("/name/", {"name": "Bob"}).status_code == 303
    assert REGISTRY.get_sample_value("realtime_limited_total", {"limit": "renames"}) == before + 1


@pytest.mark.parametrize("elsewhere", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)"])
def test_a_form_leads_nowhere_else(alice: Client, elsewhere: str) -> None:
    assert alice.post("/name/", {"name": "Alice", "next": elsewhere})["Location"] == "/"


def test_carol_logs_in_speaks_under_her_accounts_name_and_logs_out(carol: Client) -> None:
    assert carol.post("/accounts/login/", {"username": "carol", "password": "wrong"}).status_code == 200
    carol.post("/accounts/login/?next=/room/teahouse/", {"username": "carol", "password": "correct horse"})
    say(carol, "hello")
    message = Entry.objects.get()
    assert (message.name, message.guest, message.user) == ("carol", False, User.objects.get())
    assert "Log out" in page_of(carol)
    carol.post("/accounts/logout/")
    assert "Log out" not in page_of(carol)


@pytest.mark.parametrize("path", ["/", "/room/teahouse/", "/name/"])
def test_where_guests_are_not_allowed_pages_lead_to_the_log_in(carol: Client, settings: Any, path: str) -> None:
    settings.ALLOW_GUESTS = False
    for answer in (carol.get(path), carol.post(path, {"body": "hello", "name": "teahouse"})):
        assert (answer.status_code, answer["Location"]) == (302, f"/accounts/login/?next={path}")
    assert not Room.objects.exists()
    carol.force_login(User.objects.get(username="carol"))
    assert carol.get(path).status_code == 200


# --- Every page ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/room/teahouse/", "/name/", "/accounts/login/", "/nowhere/", "/room/a b/"])
def test_no_page_carries_script_or_style_of_its_own(alice: Client, path: str) -> None:
    page = alice.get(path)
    text = page.content.decode()
    assert "<h1" in text
    assert re.findall(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", text) == []
    policy = page["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


@pytest.mark.parametrize("path", ["/", "/room/teahouse/", "/name/"])
def test_pages_that_name_a_person_are_not_cached(alice: Client, path: str) -> None:
    assert "no-store" in alice.get(path)["Cache-Control"]


def test_an_error_of_the_servers_own_has_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "listing", lambda *_, **__: 1 / 0)
    page = Client(raise_request_exception=False).get("/")
    assert page.status_code == 500
    assert "could not answer" in page.content.decode()


@pytest.mark.parametrize("charset", ["utf-16", "utf-7"])
def test_a_form_that_cannot_be_read_has_a_page_and_no_line_in_the_log(
    charset: str, caplog: pytest.LogCaptureFixture
) -> None:
    for carol in (Client(), Client(enforce_csrf_checks=True)):
        page = carol.post("/room/teahouse/", b"a=b", f"application/x-www-form-urlencoded; charset={charset}")
        assert page.status_code == 400
        assert "Nothing was stored" in page.content.decode()
        assert "default-src" in page["Content-Security-Policy"]
    assert caplog.text == ""
    assert not Room.objects.exists()


def test_the_pages_for_errors_read_nothing_of_the_request() -> None:
    for view in (
        errors.bad_request,
        errors.forbidden,
        errors.form_out_of_date,
        errors.not_found,
        errors.broken,
        errors.away,
    ):
        assert "<h1>" in view(None).content.decode()  # type: ignore[arg-type]


def test_an_error_whose_page_cannot_be_made_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "render_to_string", lambda _: 1 / 0)
    monkeypatch.setattr(views, "listing", lambda *_, **__: 1 / 0)
    page = Client(raise_request_exception=False).get("/")
    assert (page.status_code, page.content) == (500, b"Internal Server Error.\n")


def test_too_large_a_form_has_a_page(alice: Client) -> None:
    page = alice.post("/room/teahouse/", {"body": "x" * 200_000})
    assert page.status_code == 400
    assert "Nothing was stored" in page.content.decode()


# --- What the tests see ----------------------------------------------------------------------------------


def say(somebody: Client, body: str, form_id: str = "", room: str = "teahouse") -> Any:
    return somebody.post(f"/room/{room}/", {"body": body, "id": form_id})


def page_of(somebody: Client) -> str:
    return str(somebody.get("/room/teahouse/").content.decode())


def bodies(somebody: Client) -> list[str]:
    log_part = page_of(somebody).partition("<template")[0]
    return [unescape(body) for body in re.findall(r'<p class="body"[^>]*>(.*?)</p>', log_part, re.DOTALL)]


def mine(somebody: Client) -> list[str]:
    """What the page shows as one's own."""
    return re.findall(
        r'<li class="message [^"]*\bmine\b.*?<p class="body"[^>]*>(.*?)</p>', page_of(somebody), re.DOTALL
    )


def hidden_id(page: str) -> str:
    return re.findall(r'<input type="hidden" name="id" value="([^"]*)"', page)[0]


def typed(page: Any) -> str:
    found = re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", page.content.decode(), re.DOTALL)
    return unescape(found[0])


def attribute(page: Any, name: str) -> str:
    return unescape(re.findall(rf'data-{name}="([^"]*)"', page.content.decode())[0])


# --- Whose page it is ------------------------------------------------------------------------------


def test_what_somebody_has_written_is_not_said_by_whoever_is_there_now(alice: Client) -> None:
    """Two tabs: in one alice writes, in the other she logs out, or somebody else logs in."""
    accounts = [User.objects.create_user(name) for name in ("alice", "bob")]
    alice.force_login(accounts[0])
    page = alice.get("/room/teahouse/")
    form = {"body": "between us", "id": field(page, "id"), "sender": field(page, "sender")}
    for change in (alice.logout, lambda: alice.force_login(accounts[1])):
        change()
        refused = alice.post("/room/teahouse/", form)
        assert refused.status_code == 409
        assert "between us" in refused.content.decode()
        assert "here now. Send it again" in refused.content.decode()
        assert not Entry.objects.exists()
    again = {"body": "between us", "id": field(refused, "id"), "sender": field(refused, "sender")}
    assert alice.post("/room/teahouse/", again).status_code == 303
    assert Entry.objects.get().name == "bob"


def test_who_is_still_there_says_what_she_has_written_also_under_another_name(alice: Client) -> None:
    page = alice.get("/room/teahouse/")
    alice.post("/name/", {"name": "Alice the Second"})
    form = {"body": "hello", "id": field(page, "id"), "sender": field(page, "sender")}
    assert alice.post("/room/teahouse/", form).status_code == 303
    assert Entry.objects.get().name == "Alice the Second"


def test_the_page_tells_people_apart_without_saying_who_they_are(alice: Client, bob: Client) -> None:
    user = User.objects.create_user("alice")
    alice.force_login(user)
    keys = [attribute(browser.get("/room/teahouse/"), "key") for browser in (alice, bob, alice)]
    assert keys[0] == keys[2] != keys[1]
    assert all(re.fullmatch("[0-9a-f]{16}", key) for key in keys)


def field(page: Any, name: str) -> str:
    """What a hidden field of the form holds."""
    found = re.search(f'name="{name}" value="([^"]*)"', page.content.decode())
    assert found, name
    return unescape(found[1])
