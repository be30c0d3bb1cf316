"""A project that knows its people in its own way, by TOPICS_AUTHENTICATION."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import AsyncClient

from topics import tokens
from topics.authentication import identity_of
from topics.checks import authentication_can_be_imported
from topics.tokens import identities, issue
from unit.realtime.fakes import until

from . import declared_authentication
from .test_consumer import LUNCH, Client
from .test_tokens import look_now

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("process")]

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


def test_a_name_that_leads_nowhere_is_found_by_a_check(settings: Any) -> None:
    settings.TOPICS_AUTHENTICATION = ["nowhere.to_be_found"]
    [error] = authentication_can_be_imported()
    assert error.id == "topics.E010"
    assert "nowhere.to_be_found" in error.msg
