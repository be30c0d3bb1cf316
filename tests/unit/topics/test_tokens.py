"""Who comes without a cookie: alice's bot by a token, a page of another site by a ticket, carol by nothing good."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import AsyncClient
from django.test import Client as Browser
from django.utils import timezone

import contract
import topics
from realtime import hubs
from topics import rates
from topics.delivery.services import Services
from topics.models import Ticket, Token
from topics.people import of_user
from topics.tokens import tokens
from topics.tokens.tokens import TooManyTokens, identities, issue
from topics.who.identity import Identity
from unit.realtime.fakes import until

from .declared import Chat
from .test_consumer import LUNCH, OPEN, Client

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("process")]

FRIEND = "https://friend.example"


@pytest.fixture
def alice() -> Any:
    return get_user_model().objects.create_user("alice", password="secret")


def expired(token: Token) -> None:
    Token.objects.filter(pk=token.pk).update(expires_at=timezone.now() - timedelta(seconds=1))


async def look_now() -> None:
    """What every process does every two seconds, and soon after it is told of a change."""
    await Services.here().hub.standing.check_everybody()


def as_subprotocol(secret: str) -> str:
    return "bearer." + base64.urlsafe_b64encode(secret.encode()).decode().rstrip("=")


# --- Sockets -------------------------------------------------------------------------------------------


async def test_a_bot_comes_in_as_its_owner_whatever_cookies_it_has(alice: Any) -> None:
    _, secret = issue(alice, "bot", write=True)
    bot = Client("somebody else", bearer=secret)
    assert (await bot.hears("welcome"))["you"]["name"] == "alice"
    await bot.joins(LUNCH)
    assert (await bot.sends(LUNCH, "1", {"option": "pizza"}))["type"] == "ack"
    await bot.left()


async def test_a_page_bears_it_as_a_subprotocol_which_is_never_chosen(alice: Any) -> None:
    _, secret = issue(alice, "bot")
    page = Client(subprotocols=(as_subprotocol(secret), "topics.v1"))
    assert (await page.hears("welcome"))["you"]["name"] == "alice"
    assert page.accepted is not None
    assert page.accepted["subprotocol"] == "topics.v1"
    await page.left()


async def test_a_token_narrows_what_its_owner_may_and_widens_nothing(alice: Any) -> None:
    _, secret = issue(alice, "reader", topics=["votes/*"], read=True, write=False)
    reader = Client(bearer=secret)
    await reader.joins(LUNCH)
    reader.says(type="join", topic=OPEN)
    assert (await reader.hears("error"))["code"] == "no_such_topic"
    assert (await reader.sends(LUNCH, "1", {"option": "pizza"}))["code"] == "forbidden"

    carol = get_user_model().objects.create_user("carol")
    _, secret = issue(carol, "everything", write=True)
    bot = Client(bearer=secret)
    bot.says(type="join", topic=OPEN)
    assert (await bot.hears("error"))["code"] == "no_such_topic"
    for one in (reader, bot):
        await one.left()


async def test_what_alice_may_on_her_page_her_reading_token_may_not_a_moment_later(alice: Any) -> None:
    browser = Browser()
    browser.force_login(alice)
    page = Client(cookie=f"sessionid={browser.cookies['sessionid'].value}")
    assert (await page.sends(LUNCH, "1", {"option": "pizza"}))["type"] == "ack"
    reader = Client(bearer=issue(alice, "reader")[1])
    assert (await reader.sends(LUNCH, "2", {"option": "pizza"}))["code"] == "forbidden"
    for one in (page, reader):
        await one.left()


def unknown(alice: Any) -> str:
    return tokens.TOKEN + "x" * 43


def late(alice: Any) -> str:
    token, secret = issue(alice, "late")
    expired(token)
    return secret


def revoked(alice: Any) -> str:
    token, secret = issue(alice, "revoked")
    token.delete()
    return secret


def of_nobody(alice: Any) -> str:
    _, secret = issue(alice, "of nobody")
    alice.is_active = False
    alice.save()
    return secret


def none_at_all(alice: Any) -> str:
    return ""


def no_secret(alice: Any) -> str:
    return "eyJhbGciOiJub25lIn0.e30."


BAD = (unknown, late, revoked, of_nobody, none_at_all, no_secret)


@pytest.mark.parametrize("secret_of", BAD)
async def test_what_is_not_valid_makes_no_guest_and_says_not_what_is_wrong(
    alice: Any, secret_of: Callable[[Any], str]
) -> None:
    secret = secret_of(alice)
    for carol in (Client("carol", bearer=secret), Client("carol", subprotocols=("topics.v1", as_subprotocol(secret)))):
        goodbye = await carol.hears("goodbye")
        await until(lambda carol=carol: carol.closed)
        assert (carol.closed, goodbye["reason"]) == (4401, "login_required")
        assert len(carol.heard) == 1
    answer = await AsyncClient().get("/topics/chat/open", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert answer.json()["detail"] == "This token or ticket is not valid, or not any more."


async def test_two_secrets_at_once_are_none(alice: Any) -> None:
    secret = issue(alice, "bot")[1]
    carol = Client(bearer=secret, subprotocols=("topics.v1", as_subprotocol(secret)))
    await carol.hears("goodbye")


@pytest.mark.parametrize("subprotocol", ["bearer.", "bearer.%%%", "bearer.YQ\u00e9", "bearer.gICA"])
async def test_a_subprotocol_that_hides_no_secret_is_not_valid(subprotocol: str) -> None:
    carol = Client(subprotocols=("topics.v1", subprotocol))
    await carol.hears("goodbye")


async def test_other_schemes_are_nobodys_business_here(alice: Any) -> None:
    answer = await AsyncClient().get("/topics/chat/open", headers={"Authorization": "Basic YWxpY2U6c2VjcmV0"})
    assert answer.status_code == 200


# --- The end of a token --------------------------------------------------------------------------------


async def test_revoking_a_token_closes_its_sockets_and_no_others(alice: Any) -> None:
    token, secret = issue(alice, "bot")
    bot, other = Client(bearer=secret), Client(bearer=issue(alice, "other")[1])
    for one in (bot, other):
        await one.joins(LUNCH)
    token.delete()
    await look_now()
    await until(lambda: bot.closed)
    assert bot.closed == 4401
    await other.joins(OPEN)
    await other.left()


async def test_an_expiring_token_closes_its_sockets_by_itself(alice: Any) -> None:
    bot = Client(bearer=issue(alice, "bot", expires_at=timezone.now() + timedelta(seconds=3))[1])
    await bot.joins(LUNCH)
    assert (await bot.hears("goodbye"))["reason"] == "login_required"
    assert bot.closed == 4401


async def test_a_closed_account_closes_the_sockets_of_its_tokens(alice: Any) -> None:
    bot = Client(bearer=issue(alice, "bot")[1])
    await bot.joins(LUNCH)
    get_user_model().objects.filter(pk=alice.pk).update(is_active=False)
    await look_now()
    await until(lambda: bot.closed)


async def test_another_scope_is_learnt_by_coming_back(alice: Any) -> None:
    token, secret = issue(alice, "bot")
    bot = Client(bearer=secret)
    await bot.joins(LUNCH)
    Token.objects.filter(pk=token.pk).update(topics="chat/*")
    await look_now()
    await until(lambda: bot.closed)
    assert bot.closed == 4501


async def test_the_change_of_a_token_is_told_to_the_sockets(
    alice: Any, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    told: list[str] = []

    class Hub:
        def doubt(self, person: str) -> None:
            told.append(person)

    monkeypatch.setattr(hubs, "from_any_thread", lambda product, speak: speak(Hub()))
    with django_capture_on_commit_callbacks(execute=True):
        token, _ = issue(alice, "bot")
    assert told == []
    with django_capture_on_commit_callbacks(execute=True):
        token.delete()
    assert told == [f"user:{alice.pk}"]


async def test_the_last_use_is_noted_once_a_minute(alice: Any) -> None:
    token, secret = issue(alice, "bot")
    identities([secret])
    token.refresh_from_db()
    used = token.last_used_at
    assert used is not None
    identities([secret])
    token.refresh_from_db()
    assert token.last_used_at == used
    Token.objects.update(last_used_at=used - timedelta(seconds=61))
    identities([secret])
    token.refresh_from_db()
    assert token.last_used_at is not None
    assert token.last_used_at > used


async def test_nobody_who_sees_the_database_has_a_secret(alice: Any) -> None:
    _, secret = issue(alice, "bot")
    ticket = tokens.ticket_for(identities([secret])[0])  # type: ignore[arg-type]
    rows = json.dumps([*Token.objects.values(), *Ticket.objects.values()], default=str)
    for borne in (secret, ticket):
        assert len(borne) == 7 + 43
        assert borne not in rows
        assert borne[7:] not in rows


async def test_a_person_has_so_many_tokens(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST_TOKENS", 2)
    for _ in range(2):
        issue(alice, "bot")
    with pytest.raises(TooManyTokens, match="revoke one"):
        issue(alice, "one too many")
    issue(get_user_model().objects.create_user("bob"), "bob's first")


# --- HTTP ----------------------------------------------------------------------------------------------


async def test_a_script_reads_and_appends_by_a_token_and_gets_no_cookie(alice: Any) -> None:
    bears = {"Authorization": f"bearer {issue(alice, 'script', topics=['chat/*'], write=True)[1]}"}
    sent = await AsyncClient().post("/topics/chat/open", '{"data": 1}', content_type="application/json", headers=bears)
    assert sent.status_code == 201
    page = await AsyncClient().get("/topics/chat/open", headers=bears)
    assert page.json()["events"][0]["by"]["name"] == "alice"
    assert page.cookies == sent.cookies == {}
    assert (await AsyncClient().get("/topics/votes/lunch", headers=bears)).status_code == 404


async def test_a_stream_ends_with_its_token(alice: Any) -> None:
    secret = issue(alice, "script", expires_at=timezone.now() + timedelta(seconds=3))[1]
    headers = {"Authorization": f"Bearer {secret}", "Accept": "text/event-stream"}
    answer = await AsyncClient().get("/topics/chat/open", headers=headers)
    events = contract.Stream()
    body = b"".join([part async for part in answer.streaming_content])
    frames = [frame for line in body.splitlines() if (frame := events.take(line))]
    assert [frame["type"] for frame in frames] == ["welcome", "joined", "goodbye"]
    assert frames[-1]["reason"] == "login_required"


# --- Tickets -------------------------------------------------------------------------------------------


async def ask_for_ticket(**headers: str) -> Any:
    return contract.answered(await AsyncClient().post("/topics/ticket", headers=headers), "/topics/ticket")


def bears(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


async def test_a_page_of_another_site_comes_in_once_by_a_ticket(alice: Any) -> None:
    secret = issue(alice, "site", topics=["votes/*"])[1]
    answer = await ask_for_ticket(**bears(secret))
    assert (answer.status_code, answer.json()["expires_in"]) == (201, 60)
    assert answer.headers["Cache-Control"] == "no-store"
    ticket = answer.json()["ticket"]
    page = Client(subprotocols=("topics.v1", as_subprotocol(ticket)))
    assert (await page.hears("welcome"))["you"]["name"] == "alice"
    await page.joins(LUNCH)
    page.says(type="join", topic=OPEN)  # what the token may not, its tickets may not
    await page.hears("error")
    again = Client(subprotocols=("topics.v1", as_subprotocol(ticket)))
    await again.hears("goodbye")
    Token.objects.all().delete()
    await look_now()
    await until(lambda: page.closed)


async def test_of_two_who_come_at_once_by_one_ticket_one_gets_in(alice: Any) -> None:
    ticket = (await ask_for_ticket(**bears(issue(alice, "site")[1]))).json()["ticket"]
    found = identities([ticket, ticket])
    assert [identity is not None for identity in found] == [True, False]


async def test_a_ticket_that_somebody_else_has_just_taken_is_not_valid(
    alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between looking for it and taking it, another process took it."""
    ticket = (await ask_for_ticket(**bears(issue(alice, "site")[1]))).json()["ticket"]
    found = Ticket.objects.get()
    monkeypatch.setattr(tokens, "ticket_by", lambda secret: found)
    assert identities([ticket])[0] is not None
    assert identities([ticket]) == [None]


async def test_a_ticket_is_good_for_a_minute(alice: Any) -> None:
    ticket = (await ask_for_ticket(**bears(issue(alice, "site")[1]))).json()["ticket"]
    Ticket.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert identities([ticket]) == [None]
    await ask_for_ticket(**bears(issue(alice, "site")[1]))
    assert Ticket.objects.count() == 1


async def test_a_ticket_by_a_session_ends_with_it(alice: Any) -> None:
    at_home = Browser()
    at_home.force_login(alice)
    identity = Identity(of_user(alice), session=at_home.session.session_key)
    tickets = [tokens.ticket_for(identity) for _ in range(2)]
    page = Client(bearer=tickets[0])
    await page.joins(LUNCH)
    at_home.logout()
    assert identities([tickets[1]]) == [None]
    await look_now()
    await until(lambda: page.closed)
    assert page.closed == 4401


async def test_a_ticket_gets_no_other_ticket_and_a_guest_none(alice: Any) -> None:
    ticket = (await ask_for_ticket(**bears(issue(alice, "site")[1]))).json()["ticket"]
    assert (await ask_for_ticket(**bears(ticket))).json()["code"] == "forbidden"
    guest = await ask_for_ticket()
    assert (guest.status_code, guest.json()["code"]) == (401, "login_required")
    assert (await AsyncClient().get("/topics/ticket")).status_code == 405


async def test_a_person_asks_for_so_many_tickets_a_minute(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "TICKETS_A_MINUTE", 3)
    secret = issue(alice, "site")[1]
    answers = [await ask_for_ticket(**bears(secret)) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    assert "wait a moment" in answers[-1].json()["detail"]
    assert int(answers[-1].headers["Retry-After"]) >= 1


async def test_only_pages_of_allowed_origins_may_ask_and_read_the_answer(alice: Any, settings: Any) -> None:
    settings.ALLOWED_ORIGINS = [FRIEND]
    secret = issue(alice, "site")[1]
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    for path in ("/topics/ticket", "/topics/chat/open"):
        before = await AsyncClient().options(path, headers={"Origin": FRIEND, **asked})
        assert before.status_code == 204
        assert before.headers["Access-Control-Allow-Origin"] == FRIEND
        assert "authorization" in before.headers["Access-Control-Allow-Headers"]
    answer = await ask_for_ticket(Origin=FRIEND, **bears(secret))
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (201, FRIEND)
    assert "Origin" in answer.headers["Vary"]
    for origin in ("https://evil.example", "null"):
        answer = await ask_for_ticket(Origin=origin, **bears(secret))
        assert answer.status_code == 403
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_an_error_can_be_read_by_such_a_page_as_well(settings: Any) -> None:
    settings.ALLOWED_ORIGINS = [FRIEND]
    answer = await ask_for_ticket(Origin=FRIEND)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (401, FRIEND)


async def test_a_topic_hears_who_the_ticket_is_for(alice: Any) -> None:
    ticket = (await ask_for_ticket(**bears(issue(alice, "site", write=True)[1]))).json()["ticket"]
    page = Client(bearer=ticket)
    await page.sends(OPEN, "1", "hello")
    [event] = Chat(name_of_it="open").events()
    assert event.by is not None
    assert event.by.user_id == alice.pk
    await page.left()


async def test_one_token_of_alice_is_put_out_and_may_come_back(
    alice: Any, django_capture_on_commit_callbacks: Any
) -> None:
    token, secret = issue(alice, "bot")
    bot, idle, other = Client(bearer=secret), Client(bearer=secret), Client(bearer=issue(alice, "other")[1])
    await bot.joins(LUNCH)
    await idle.hears("welcome")
    await other.joins(LUNCH)
    with django_capture_on_commit_callbacks(execute=True):
        topics.disconnect(token=token)
    for one in (bot, idle):
        assert (await one.hears("goodbye"))["reason"] == "disconnected"
    again = Client(bearer=secret)
    await again.joins(LUNCH)
    assert other.closed is None
    for one in (again, other):
        await one.left()
    with pytest.raises(TypeError, match="says whom it is about"):
        topics.disconnect(token=token, user=alice)


async def test_a_token_that_follows_nothing_ends_as_well(alice: Any) -> None:
    token, secret = issue(alice, "bot")
    idle = Client(bearer=secret)
    await idle.hears("welcome")
    token.delete()
    await look_now()
    await until(lambda: idle.closed)
