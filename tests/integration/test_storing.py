"""What is acknowledged is in Postgres, and what it costs to get it to the sockets."""

import asyncio
import re
import time
import urllib.parse
from datetime import datetime, timedelta

import pytest

from client import enter, new_id, new_room
from servers.stack import Stack
from visitor import Visitor, room_page

LONG = 20_000
FILL = (
    "WITH filled AS (INSERT INTO topics_entry (log_id, seq, client_id, author, name, guest, data, retracted, at)"
    " SELECT id, number, 'old' || number, '', 'bob', true, '{\"body\":\"hi\"}', false, now()"
    " FROM topics_log, generate_series(1, %s) AS number"
    " WHERE name = %s RETURNING 1) SELECT count(*) FROM filled"
)
CHANGED = "SELECT changed_at, now() - changed_at FROM topics_log WHERE name = %s"
READ_AND_INSERTED = "SELECT seq_tup_read, n_tup_ins FROM pg_stat_user_tables WHERE relname = 'topics_entry'"


async def test_an_acknowledged_message_is_in_postgres(stack: Stack) -> None:
    room = new_room()
    async with await enter(stack.ws_url, room) as alice:
        for number in range(1, 11):
            id = new_id()
            await alice.say(f"{number}", id)
            assert stack.database.messages(room)[-1] == (number, id, f"{number}")


async def test_two_people_who_choose_the_same_id_at_once_say_it_once(stack: Stack) -> None:
    room = new_room()
    async with await enter(stack.ws[0].ws_url, room) as alice, await enter(stack.ws[1].ws_url, room) as bob:
        for _ in range(20):
            id = new_id()
            first, second = await asyncio.gather(alice.say("the same", id), bob.say("the same", id))
            assert first == second
    assert len(stack.database.messages(room)) == 20


async def test_one_more_message_does_not_read_the_whole_log(stack: Stack) -> None:
    """In a table of this size Postgres would rather read it all than look up the hundred rows that it takes for one."""
    room, other = new_room(), new_room()
    async with await enter(stack.ws_url, other), await enter(stack.ws_url, room) as alice:
        stack.open_room(other)
        read_before, inserted_before = read, inserted = stack.database.rows(READ_AND_INSERTED)[0]
        stack.database.rows(FILL, [LONG, f"room/{other}"])
        while inserted - inserted_before < LONG + 10:  # Postgres counts when it has the time, both numbers together
            await alice.say("one more")
            read, inserted = stack.database.rows(READ_AND_INSERTED)[0]
        assert read - read_before < LONG


@pytest.mark.parametrize("written", ["now() - interval '1 minute'", "now() + interval '1 hour'"])
async def test_when_a_room_changed_is_written_once_a_second(stack: Stack, written: str) -> None:
    room = new_room()
    log = f"room/{room}"
    times: list[datetime] = []
    async with await enter(stack.ws_url, room) as alice:
        stack.open_room(room)
        stack.database.rows(f"UPDATE topics_log SET changed_at = {written} WHERE name = %s RETURNING 1", [log])
        while len(times) == len(set(times)):  # a slow machine may take more than a second from one to the next
            assert len(times) < 20
            await alice.say("one more")
            ((changed_at, late),) = stack.database.rows(CHANGED, [log])
            assert timedelta(0) <= late < timedelta(seconds=30)
            times.append(changed_at)


async def test_the_form_publishes_without_a_new_connection_for_each_message(stack: Stack) -> None:
    room = new_room()
    bob = Visitor(stack.base_url)
    path = room_page(room)
    async with await enter(stack.ws[0].ws_url, room) as alice:
        await asyncio.to_thread(say_by_form, bob, path, 8)  # every worker has said something
        before = opened(stack)
        await asyncio.to_thread(say_by_form, bob, path, 40)
        assert opened(stack) - before <= 3
        await alice.until(lambda frame: frame["type"] == "message" and frame["seq"] == 48, "message 48")


def say_by_form(visitor: Visitor, path: str, times: int) -> None:
    """As fast as a person may."""
    token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', visitor.get(path).text)[0]
    for _ in range(times):
        form = urllib.parse.urlencode({"body": "by form", "csrfmiddlewaretoken": token})
        while (status := visitor.post_raw(path, form.encode()).status) == 429:
            time.sleep(0.1)
        assert status == 303


def opened(stack: Stack) -> int:
    """Connections that Redis has ever accepted."""
    return int(stack.redis.ask("INFO stats").split("total_connections_received:")[1].split()[0])
