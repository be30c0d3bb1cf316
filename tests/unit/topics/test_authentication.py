"""A project that knows its people in its own way, by TOPICS_AUTHENTICATION."""

import asyncio
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.contrib.auth import get_user_model
from django.test import AsyncClient

from topics.checks import authentication_can_be_imported
from topics.people import Person
from topics.tokens import tokens
from topics.tokens.authentication import identity_of
from topics.tokens.tokens import identities, issue
from unit.realtime.fakes import until

from . import declared_authentication
from .declared import Chat
from .test_consumer import LUNCH, OPEN, Client
from .test_tokens import look_now

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("process")]

DOCS = (Path(__file__).parents[3] / "docs" / "topics.md").read_text()
HERE = declared_authentication.__name__


@pytest.fixture(autouse=True)
def own_ways(settings: Any, process: Any) -> None:
    declared_authentication.ASKED.clear()
    settings.TOPICS_AUTHENTICATION = [f"{HERE}.by_header", f"{HERE}.by_word"]


async def test_the_first_that_knows_somebody_says_who_it_is() -> None:
    get_user_model().objects.create_user("dave")
    answer = await AsyncClient().get("/topics/chat/open", headers={"X-User": "dave"})
    assert answer.status_code == 200
    assert answer.cookies == {}  # dave is no guest
    erin = Client(bearer="elsewhere")
    assert (await erin.hears("welcome"))["you"] == {"key": erin.heard[0]["you"]["key"], "name": "Erin", "guest": False}
    await erin.left()


async def test_whom_they_do_not_know_cookies_do() -> None:
    alice = Client("alice")
    assert (await alice.hears("welcome"))["you"]["name"] == "alice"
    assert declared_authentication.ASKED == [None]
    await alice.left()


@pytest.mark.parametrize("bearer", ["whatever", "nonsense", "long over"])
async def test_a_secret_that_nobody_knows_lets_nobody_in(bearer: str) -> None:
    carol = Client("carol", bearer=bearer)
    assert (await carol.hears("goodbye"))["reason"] == "login_required"


async def test_our_own_secrets_are_shown_to_nobody() -> None:
    _, secret = issue(get_user_model().objects.create_user("alice"), "bot")
    bot = Client(bearer=secret)
    await bot.hears("welcome")
    assert declared_authentication.ASKED == []
    await bot.left()


async def test_a_mistake_lets_nobody_in_and_its_words_are_not_logged(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.TOPICS_AUTHENTICATION = [f"{HERE}.broken"]
    carol = Client("carol", bearer="carols-secret")
    await carol.hears("goodbye")
    assert "ArithmeticError in" in caplog.text
    assert "carols-secret" not in caplog.text


async def test_who_may_be_here_for_a_while_goes_when_it_is_over() -> None:
    frank = Client(bearer="soon over")
    await frank.joins(LUNCH)
    assert (await frank.hears("goodbye"))["reason"] == "login_required"


async def test_a_stream_is_over_then_as_well() -> None:
    headers = {"Authorization": "Bearer soon over", "Accept": "text/event-stream"}
    answer = await AsyncClient().get("/topics/chat/open", headers=headers)
    async with asyncio.timeout(30):
        body = b"".join([part async for part in answer.streaming_content])
    assert b'"reason":"login_required"' in body


async def test_a_ticket_knows_her_again_within_the_same_time() -> None:
    answer = await AsyncClient().post("/topics/ticket", headers={"Authorization": "Bearer elsewhere"})
    [erin] = identities([answer.json()["ticket"]])
    assert erin is not None
    assert (erin.person.key, erin.person.name, erin.until) == ("elsewhere:1", "Erin", None)
    answer = await AsyncClient().post("/topics/ticket", headers={"Authorization": "Bearer soon over"})
    frank = Client(bearer=answer.json()["ticket"])
    await frank.joins(LUNCH)
    await frank.hears("goodbye")


async def test_an_account_that_is_closed_goes_however_it_came() -> None:
    dave = get_user_model().objects.create_user("dave")
    ticket = tokens.ticket_for(identity_of(dave))
    tab = Client(bearer=ticket)
    await tab.joins(LUNCH)
    dave.delete()
    await look_now()
    await until(lambda: tab.closed)
    assert tab.closed == 4403


@pytest.fixture
def documented(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The example of docs/topics.md in its place, and who signs for it."""
    [program] = re.findall(r"```python\n([^`]*?def by_jwt\(.*?)```", DOCS, re.DOTALL)
    module = ModuleType("votes_authentication")
    exec(program, module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    key = Ed25519PrivateKey.generate()
    settings.JWT_PUBLIC_KEY = key.public_key()
    settings.TOPICS_AUTHENTICATION = [f"{module.__name__}.by_jwt"]

    def signed(seconds: float, by: Any = key, algorithm: str = "EdDSA", **claims: Any) -> str:
        about = {"sub": "17", "name": "Heidi", "aud": "votes", "exp": time.time() + seconds}
        return jwt.encode(about | claims, by, algorithm)

    return signed


async def test_the_documented_example_knows_whom_another_service_signs_for(documented: Callable[..., str]) -> None:
    heidi = Client(bearer=documented(60))
    await heidi.joins(LUNCH)
    await heidi.sends(OPEN, "1", "hello")
    [event] = Chat(name_of_it="open").events()
    assert event.by is not None
    assert (event.by.key, event.by.name) == ("jwt:17", "Heidi")
    await heidi.left()


async def test_the_documented_example_ends_when_what_was_signed_does(documented: Callable[..., str]) -> None:
    heidi = Client(bearer=documented(2))
    await heidi.joins(LUNCH)
    assert (await heidi.hears("goodbye"))["reason"] == "login_required"


async def test_the_documented_example_takes_nothing_else(documented: Callable[..., str]) -> None:
    forged = documented(60, by=Ed25519PrivateKey.generate())
    unsigned = documented(60, by=None, algorithm="none")
    for secret in (forged, unsigned, documented(-60), documented(60, aud="other"), "nonsense"):
        carol = Client("carol", bearer=secret)
        await carol.hears("goodbye")


@pytest.mark.parametrize("who", [Person("x" * 81, "Ivan", guest=False), Person("x", "I" * 151, guest=False)])
def test_somebody_whose_events_could_not_be_stored_is_a_mistake(who: Person) -> None:
    with pytest.raises(ValueError, match="too long"):
        identity_of(who)


def test_a_name_that_leads_nowhere_is_found_by_a_check(settings: Any) -> None:
    settings.TOPICS_AUTHENTICATION = ["nowhere.to_be_found"]
    [error] = authentication_can_be_imported()
    assert error.id == "topics.E010"
    assert "nowhere.to_be_found" in error.msg
