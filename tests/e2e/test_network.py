"""The network goes and comes: what was written meanwhile is kept, shown as unsent, and sent once."""

import asyncio

import pytest
from playwright.async_api import expect

from browser import Arrive
from client import new_room
from servers.line import Line
from servers.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_what_alice_writes_in_a_tunnel_is_sent_when_she_is_out(stack: Stack, arrive: Arrive) -> None:
    room = new_room()
    async with Line(stack.nginx.port) as line:
        alice, bob = await arrive(line.base_url), await arrive(stack.base_url)
        await alice.enter(room)
        await bob.enter(room)
        await alice.say("I go into a tunnel")
        line.down()
        await alice.state_is("waiting")
        for body in ("It is dark", "There is light"):
            await alice.write(body)
            await expect(alice.pending(body)).to_be_visible()
        await bob.say("Are you there?")
        line.up()
        await alice.is_live()
        await bob.hears("There is light")
        for person in (alice, bob):
            await person.hears("There is light")
            assert await person.everything() == [
                "I go into a tunnel",
                "Are you there?",
                "It is dark",
                "There is light",
            ]
        await expect(alice.page.locator("li.pending")).to_have_count(0)


async def test_unsent_words_survive_a_reload(stack: Stack, arrive: Arrive) -> None:
    async with Line(stack.nginx.port) as line:
        alice = await arrive(line.base_url)
        await alice.enter(new_room())
        line.stall()
        await alice.write("not yet out")
        await expect(alice.pending("not yet out")).to_be_visible()
        line.cut()
        line.flow()
        await alice.page.reload()
        await alice.hears("not yet out")
        assert await alice.everything() == ["not yet out"]


async def test_alice_comes_back_by_herself_when_her_server_dies(stack: Stack, arrive: Arrive) -> None:
    alice, bob = await arrive(stack.base_url), await arrive(stack.base_url)
    room = new_room()
    await alice.enter(room)
    await bob.enter(room)
    await alice.say("before")
    for process in stack.ws:
        await asyncio.to_thread(process.kill)
    await alice.state_is("waiting")
    await alice.write("meanwhile")
    await asyncio.gather(*(asyncio.to_thread(process.start) for process in stack.ws))
    for person in (alice, bob):
        await expect(person.stored("meanwhile")).to_be_visible(timeout=35_000)
        assert await person.everything() == ["before", "meanwhile"]


async def test_a_deploy_is_hardly_noticed(stack: Stack, arrive: Arrive) -> None:
    alice = await arrive(stack.base_url)
    await alice.enter(new_room())
    await alice.say("before")
    for process in stack.ws:
        await asyncio.to_thread(process.restart)
    await alice.is_live()
    await alice.say("after")
    assert await alice.everything() == ["before", "after"]
