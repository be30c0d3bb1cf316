"""The connection comes back by itself, when it should, as fast as it should."""

import pytest
from playwright.async_api import expect

from browser import Person
from played import Played, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

# What a screen reader says: each change of the words of role="status".
LISTEN = """() => {
  globalThis.announced = [];
  const words = document.querySelector("[role=status] .words");
  new MutationObserver(() => announced.push(words.textContent)).observe(words, {
    characterData: true, childList: true, subtree: true,
  });
}"""


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (4400, "Reload"),
        (4401, "Log in"),
        (4403, "may not"),
        (4404, "no such room"),
        (4410, "disconnected"),
        (4499, "closed"),
    ],
)
async def test_after_44xx_it_stays_away_and_says_why(alice: Person, server: Played, code: int, sentence: str) -> None:
    await server.close(code)
    await alice.state_is("closed")
    await expect(alice.page.get_by_test_id("connection")).to_contain_text(sentence)
    await expect(alice.page.get_by_role("link", name="Log in", exact=True)).to_be_visible(visible=code == 4401)
    await alice.page.clock.run_for(120_000)
    await alice.page.evaluate("dispatchEvent(new Event('online'))")
    assert len(server.dials) == 1


async def test_it_stays_away_as_long_as_the_server_asks(alice: Person, server: Played) -> None:
    server.welcome()
    await server.close(4501, after_ms=7000)
    await expect(alice.page.get_by_test_id("connection")).to_contain_text("Reconnecting in")
    await expect(alice.page.get_by_role("button", name="Try now")).to_be_hidden()
    await alice.page.evaluate("dispatchEvent(new Event('online'))")
    await alice.page.clock.run_for(6900)
    assert len(server.dials) == 1
    await alice.page.clock.run_for(600)
    await server.dialled(2)


async def test_its_waits_grow_up_to_half_a_minute_and_are_drawn_by_lot(alice: Person, server: Played) -> None:
    await alice.page.evaluate("Math.random = () => 0.999")
    for number, wait in enumerate([500, 1000, 2000, 4000, 8000, 16000, 30000, 30000], 1):
        await server.dialled(number)
        await server.dials[-1].close(code=1011)
        await alice.state_is("waiting")
        await alice.page.clock.run_for(int(wait * 0.99))
        assert len(server.dials) == number
        await alice.page.clock.run_for(int(wait * 0.02))
    await server.dialled(9)


@pytest.mark.parametrize("welcomed", [True, False])
async def test_silence_makes_it_dial_again(alice: Person, server: Played, welcomed: bool) -> None:
    if welcomed:
        server.welcome()
        await alice.is_live()
    patience = 40_000 if welcomed else 15_000
    await alice.page.clock.run_for(patience - 100)
    assert len(server.dials) == 1
    await alice.page.clock.run_for(700)
    await server.dialled(2)


async def test_one_who_is_back_need_not_wait(alice: Person, server: Played) -> None:
    server.welcome()
    await alice.is_live()
    await alice.page.context.set_offline(True)
    await alice.state_is("waiting")
    await expect(alice.page.get_by_test_id("connection")).to_contain_text("You are offline")
    await alice.page.context.set_offline(False)
    await server.dialled(2)


async def test_without_a_network_it_does_not_dial_and_says_so_once(alice: Person, server: Played) -> None:
    server.welcome()
    await alice.is_live()
    await alice.page.evaluate(LISTEN)
    await alice.page.context.set_offline(True)
    await alice.state_is("waiting")
    await alice.page.clock.run_for(120_000)
    await alice.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(alice.page.get_by_role("button", name="Try now")).to_be_hidden()
    assert len(server.dials) == 1
    assert await alice.page.evaluate("announced") == ["You are offline. Reconnecting when there is a network"]
    await alice.page.context.set_offline(False)
    await server.dialled(2)


async def test_a_network_that_is_lost_while_it_stays_away_ends_in_one_wait(alice: Person, server: Played) -> None:
    server.welcome()
    await server.close(4501, after_ms=7000)
    await alice.state_is("waiting")
    await alice.page.context.set_offline(True)
    await alice.page.clock.run_for(120_000)
    assert len(server.dials) == 1
    await alice.page.context.set_offline(False)
    await server.dialled(2)


async def test_a_network_that_is_lost_between_two_dials_is_said_at_once(alice: Person, server: Played) -> None:
    server.welcome()
    await alice.is_live()
    await alice.page.evaluate("Math.random = () => 0.999")
    await server.dials[-1].close(code=1011)
    await expect(alice.page.get_by_test_id("connection")).to_contain_text("Reconnecting in")
    await alice.page.context.set_offline(True)
    await expect(alice.page.get_by_test_id("connection")).to_contain_text("You are offline")
    await alice.page.clock.run_for(120_000)
    assert len(server.dials) == 1
    await alice.page.context.set_offline(False)
    await server.dialled(2)


async def test_however_often_it_dials_a_screen_reader_hears_of_it_once(alice: Person, server: Played) -> None:
    server.welcome()
    await alice.is_live()
    await alice.page.evaluate(LISTEN)
    await alice.page.evaluate("Math.random = () => 0")
    for number in range(1, 7):
        await server.dialled(number)
        await server.dials[-1].close(code=1011)
        await alice.state_is("waiting")
        await alice.page.clock.run_for(10)
    await server.dialled(7)
    server.welcome()
    await alice.is_live()
    assert await alice.page.evaluate("announced") == ["Reconnecting", "Live"]


async def test_a_tab_that_is_looked_at_again_tries_its_socket(alice: Person, server: Played) -> None:
    server.welcome()
    await alice.is_live()
    await alice.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await until(lambda: {"type": "ping"} in server.heard)
    await alice.page.clock.run_for(5_600)
    await server.dialled(2)
