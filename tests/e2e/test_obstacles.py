"""Browsers and networks that keep something back: sockets, cookies."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from browser import ARGUMENTS, EXECUTABLE, Arrive, Person
from client import new_room
from servers import needed
from servers.app import Server
from servers.line import Line
from servers.nginx import Nginx
from servers.ports import free_port
from visitor import room_page

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOON = "Math.random = () => 0.05"  # so are the waits between two dials


@pytest.fixture
def proxy(alone: Server) -> Iterator[Nginx]:
    """Lets pages through and no sockets."""
    needed.programs("nginx")
    proxy = Nginx(web=[alone.port], ws=[free_port()])
    proxy.start()
    yield proxy
    proxy.stop()


async def test_where_no_socket_comes_through_alice_is_told_and_talks_all_the_same(
    alone: Server, arrive: Arrive
) -> None:
    room = new_room()
    async with Line(alone.port) as line:
        line.carries_sockets = False
        alice, bob = await arrive(line.base_url), await arrive(alone.url)
        await alice.page.add_init_script(SOON)
        await alice.page.goto(alice.base + room_page(room))
        await bob.enter(room)
        await alice.write("before anybody knew")
        await expect(alice.page.get_by_test_id("connection")).to_contain_text("Live, without WebSocket")
        await alice.write("and after")
        for body in ("before anybody knew", "and after"):
            await bob.hears(body)
        await expect(alice.page.locator("li.pending")).to_have_count(0)
        await bob.say("heard")
        await alice.hears("heard")
        line.carries_sockets = True
        await expect(alice.page.get_by_test_id("connection")).not_to_contain_text("without WebSocket", timeout=60_000)
        await alice.is_live()
        await alice.say("by a socket")
        for person in (alice, bob):
            await person.hears("by a socket")
            assert await person.everything() == ["before anybody knew", "and after", "heard", "by a socket"]


async def test_what_alice_wrote_without_a_socket_is_not_said_by_somebody_else(alone: Server, arrive: Arrive) -> None:
    room = new_room()
    async with Line(alone.port) as line:
        line.carries_sockets = False
        alice, bob = await arrive(line.base_url), await arrive(alone.url)
        await alice.page.add_init_script(SOON)
        await alice.page.goto(alice.base + room_page(room))
        await bob.enter(room)
        await expect(alice.page.get_by_test_id("connection")).to_contain_text("Live, without WebSocket")
        async with alice.page.expect_navigation():
            await alice.page.context.clear_cookies()  # from here on she is another guest
            await alice.write("unheard")
        await alice.is_live()
        await alice.say("by the other")
        await bob.hears("by the other")
        assert await bob.everything() == ["by the other"]


async def test_where_the_server_is_gone_altogether_nothing_is_lost(alone: Server, proxy: Nginx, arrive: Arrive) -> None:
    alice, room = await arrive(f"http://127.0.0.1:{proxy.port}"), new_room()
    await alice.page.add_init_script(SOON)
    await alice.page.goto(alice.base + room_page(room))
    await alice.state_is("waiting")
    proxy.lead_to(web=[free_port()], ws=[free_port()])
    proxy.stop()
    await alice.write("hold on")
    await expect(alice.page.get_by_text("not sent yet")).to_be_visible()
    proxy.lead_to(web=[alone.port], ws=[alone.port])
    proxy.start()
    await alice.is_live()
    await alice.hears("hold on")
    assert await alice.everything() == ["hold on"]


async def test_without_cookies_alice_has_one_name_and_a_sentence(alone: Server, tmp_path: Path) -> None:
    needed.programs("chromium")
    async with without_cookies(tmp_path) as page:
        alice = Person(page, alone.url)
        await alice.enter(new_room())
        assert await page.context.cookies() == []
        members = page.locator("#members li span[dir]")
        await expect(members).to_have_count(1)
        await expect(page.get_by_test_id("you")).to_contain_text(await members.inner_text())
        await alice.say("hello")
        await expect(page.locator("#messages .mine .author")).to_have_text(await members.inner_text())
        await expect(page.get_by_text("keeps no cookies")).to_be_visible()


async def test_with_cookies_nothing_is_said_of_them(alone: Server, arrive: Arrive) -> None:
    bob = await arrive(alone.url)
    await bob.enter(new_room())
    await expect(bob.page.get_by_text("keeps no cookies")).to_be_hidden()
    assert {cookie["name"] for cookie in await bob.page.context.cookies()} == {"csrftoken", "guest"}


@asynccontextmanager
async def without_cookies(folder: Path) -> AsyncIterator[Page]:
    """A browser whose settings keep every site from storing anything."""
    (folder / "Default").mkdir()
    settings = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (folder / "Default/Preferences").write_text(json.dumps(settings))
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            folder, executable_path=EXECUTABLE, args=ARGUMENTS, locale="en-GB"
        )
        yield context.pages[0]
        await context.close()
