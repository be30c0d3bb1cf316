"""Who sees little, has no mouse, or a very small window: every state by axe, every way by keys, and on paper."""

from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from browser import Arrive, Person
from client import new_room
from servers.line import Line
from servers.stack import Stack
from visitor import room_page

pytestmark = pytest.mark.asyncio(loop_scope="session")

CLEAR = """() => {
  const box = document.getElementById("id_body"), { left, top, width, height } = box.getBoundingClientRect();
  const seen = [0.1, 0.5, 0.9].map((part) => document.elementFromPoint(left + width * part, top + height / 2));
  const { scrollWidth, clientWidth } = document.documentElement;
  const within = top + height <= innerHeight;
  const covered = seen.filter((one) => one !== box).map((one) => one?.outerHTML.slice(0, 80));
  const parts = [...document.querySelectorAll(".bar, .title, .title > *, .history, .say > *")].map(
    (part) => `${part.id || part.className} ${part.offsetHeight}`
  );
  return { covered, below: within ? [] : parts, wide: scrollWidth - clientWidth };
}"""
HEARD = """
  window.heard = [];
  addEventListener("DOMContentLoaded", () => {
    const line = document.querySelector("#connection .words");
    new MutationObserver(() => window.heard.push(line.textContent)).observe(line, { childList: true });
  });
"""
CUT = """() => [...document.querySelectorAll("#messages .body")].filter((one) => {
  for (let box = one.parentElement; box; box = box.parentElement)
    if (getComputedStyle(box).overflowY !== "visible" && box !== document.documentElement && box !== document.body)
      return true;
  return one.getBoundingClientRect().top + scrollY < 0;
}).length"""


async def finds_nothing(person: Person, state: str) -> None:
    found = await Axe().run(person.page)
    assert found.violations_count == 0, f"{state}: {found.generate_report()}"


@pytest.mark.parametrize("looks", [{"color_scheme": "light"}, {"color_scheme": "dark"}, {"forced_colors": "active"}])
async def test_axe_finds_nothing_in_what_opens_and_when_the_line_is_cut(
    stack: Stack, arrive: Arrive, looks: dict[str, Any]
) -> None:
    room, bob = new_room(), await arrive(stack.base_url)
    await bob.enter(room)
    await bob.say("hello")
    async with Line(stack.nginx.port) as line:
        alice = await arrive(line.base_url, permissions=["notifications"], **looks)
        await alice.enter(room)
        await alice.say("hello, too")
        await expect(alice.page.get_by_test_id("count")).to_have_text("2")
        members = await alice.page.locator("#members li").all_inner_texts()
        assert members[0].split()[-2:] == ["you,", "guest"]
        await alice.page.locator("#notify summary").click()
        await finds_nothing(alice, "notifications")
        await alice.page.locator("#messages").click()
        await expect(alice.page.locator("#notify")).not_to_have_attribute("open", "")
        await alice.page.locator("#history").focus()
        await alice.page.keyboard.press("?")
        await finds_nothing(alice, "the list of keys")
        await alice.page.keyboard.press("Escape")
        line.down()
        await alice.state_is("waiting")
        await alice.write("not sent yet")
        await finds_nothing(alice, "without a line")
        line.up()
        await alice.state_is("live")


async def test_being_away_is_said_once_however_often_it_is_tried_again(stack: Stack, arrive: Arrive) -> None:
    room = new_room()
    async with Line(stack.nginx.port) as line:
        alice = await arrive(line.base_url)
        await alice.page.add_init_script(HEARD)
        await alice.enter(room)
        before = len(await alice.page.evaluate("window.heard"))
        dials: list[Any] = []
        alice.page.on("websocket", lambda socket: dials.append(socket))
        line.down()
        await alice.state_is("waiting")
        again = alice.page.get_by_role("button", name="Try now")
        while len(dials) < 4:
            await again.click()
        line.up()
        await alice.state_is("live")
        away, *back = (await alice.page.evaluate("window.heard"))[before:]
        assert away == "Reconnecting"
        assert all(words.startswith("Live") for words in back), back


async def test_escape_closes_what_opened_and_the_focus_returns(stack: Stack, arrive: Arrive) -> None:
    room, alice = new_room(), await arrive(stack.base_url)
    await alice.enter(room)
    for sheet in (".seek", "#notify", ".you details"):
        summary = alice.page.locator(f"{sheet} > summary")
        await summary.focus()
        await alice.page.keyboard.press("Enter")
        await expect(alice.page.locator(f"{sheet} .sheet")).to_be_visible()
        await alice.page.keyboard.press("Tab")
        await alice.page.keyboard.press("Escape")
        await expect(alice.page.locator(f"{sheet} .sheet")).to_be_hidden()
        await expect(summary).to_be_focused()
    await alice.page.keyboard.press("?")
    keys = alice.page.get_by_role("dialog", name="Keys")
    await expect(keys).to_be_visible()
    await alice.page.keyboard.press("Escape")
    await expect(keys).to_be_hidden()
    await expect(alice.page.locator(".you summary")).to_be_focused()
    await alice.box.press_sequentially("what?")
    await expect(keys).to_be_hidden()
    await expect(alice.box).to_have_value("what?")


async def test_nothing_covers_the_composer_in_a_very_small_window(stack: Stack, arrive: Arrive) -> None:
    room, bob = new_room(), await arrive(stack.base_url)
    alice = await arrive(stack.base_url, viewport={"width": 320, "height": 256})
    await bob.enter(room)
    await bob.say("a" * 200)
    await bob.say("```\n" + "x" * 200 + "\n```")
    await alice.enter(room)
    clear = {"covered": [], "below": [], "wide": 0}
    assert await alice.page.evaluate(CLEAR) == clear
    await alice.box.fill("many\n" * 20)
    assert await alice.page.evaluate(CLEAR) == clear
    await alice.box.fill("")
    await alice.page.locator("#messages .reply").first.click()
    await alice.box.fill("an answer\nof lines")
    assert await alice.page.evaluate(CLEAR) == clear
    for address in ("/", "/search/", "/name/", "/accounts/login/", "/offline/", room_page(room) + "search/"):
        await alice.page.goto(stack.base_url + address)
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await alice.page.evaluate(wide) == 0, address


async def test_on_paper_is_the_whole_conversation_that_was_shown(stack: Stack, arrive: Arrive) -> None:
    room, alice = new_room(), await arrive(stack.base_url)
    await alice.enter(room)
    for number in range(40):
        await alice.say(f"message {number}")
    assert await alice.page.evaluate(CUT) == 40
    await alice.page.emulate_media(media="print")
    assert await alice.page.evaluate(CUT) == 0
    await expect(alice.page.get_by_text("message 0", exact=True)).to_be_visible()
    await expect(alice.box).to_be_hidden()
