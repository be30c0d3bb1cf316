"""Coming back with `since` and `epoch`: what was missed, in order, without a hole and without a double."""

import asyncio
import json

import pytest

from client import Socket, enter, new_id, new_room
from servers.stack import Stack


@pytest.fixture(params=["near", "far"])
def bobs(stack: Stack, request: pytest.FixtureRequest) -> str:
    """Where Bob comes in: Alice, on the first process, is heard there from memory or by way of the log."""
    return stack.ws[["near", "far"].index(request.param)].ws_url


async def test_bob_gets_exactly_what_he_missed(stack: Stack, bobs: str) -> None:
    room = new_room()
    async with await enter(stack.ws[0].ws_url, room) as alice:
        for number in range(1, 6):
            await alice.say(f"{number}")
        epoch = alice.welcome["epoch"]
        async with await enter(bobs, room, since=2, epoch=epoch) as bob:
            assert bob.welcome["recovered"] is True
            assert (bob.welcome["seq"], bob.welcome["epoch"]) == (5, epoch)
            assert [message["seq"] for message in bob.welcome["messages"]] == [3, 4, 5]
            await alice.say("6")
            await bob.hears("6")
            assert bob.bodies() == ["3", "4", "5", "6"]
        async with await enter(bobs, room, since=6, epoch=epoch) as bob:
            assert (bob.welcome["recovered"], bob.welcome["messages"]) == (True, [])


async def test_who_comes_without_since_reads_the_latest_fifty(stack: Stack, bobs: str) -> None:
    room = new_room()
    async with await enter(stack.ws[0].ws_url, room):
        write(stack, room, 70)
        async with await enter(bobs, room) as bob:
            assert (bob.welcome["seq"], bob.welcome["recovered"]) == (70, False)
            assert [message["seq"] for message in bob.welcome["messages"]] == list(range(21, 71))


async def test_long_messages_make_the_welcome_shorter_not_longer_than_32_kib(stack: Stack, bobs: str) -> None:
    room = new_room()
    async with await enter(stack.ws[0].ws_url, room):
        write(stack, room, 20, body="茶" * 4000)
    async with await enter(bobs, room) as bob:
        messages = bob.welcome["messages"]
        assert [message["seq"] for message in messages] == [19, 20]
        assert len(json.dumps(messages, ensure_ascii=False).encode()) <= 32 * 1024 + 200
        assert len(bob.received[0].encode()) <= 64 * 1024  # type: ignore[union-attr]


@pytest.mark.parametrize("missed", [60, 900, 1000])
async def test_a_long_absence_is_replayed_whole_before_what_is_live(stack: Stack, bobs: str, missed: int) -> None:
    room = new_room()
    async with await enter(stack.ws[0].ws_url, room) as alice:
        epoch = alice.welcome["epoch"]
        write(stack, room, missed)
        async with await enter(bobs, room, since=0, epoch=epoch) as bob:
            assert bob.welcome["recovered"] is True
            await alice.say("live")
            await bob.hears("live")
            assert [message["seq"] for message in bob.messages()] == list(range(1, missed + 2))
            assert max(len(text) for text in bob.received) <= 64 * 1024


@pytest.mark.parametrize("missed", [60, 300])
async def test_long_messages_are_replayed_in_frames_of_at_most_64_kib(stack: Stack, bobs: str, missed: int) -> None:
    room = new_room()
    async with await enter(stack.ws[0].ws_url, room) as alice:
        write(stack, room, missed, body="茶" * 4000)
        async with await enter(bobs, room, since=0, epoch=alice.welcome["epoch"], batch=True) as bob:
            await bob.until(lambda frame: missed in seqs(frame), f"message {missed}")
            assert [message["seq"] for message in bob.messages()] == list(range(1, missed + 1))
            assert max(len(text.encode()) for text in bob.received) <= 64 * 1024  # type: ignore[union-attr]


async def test_more_than_a_thousand_missed_is_a_fresh_start(stack: Stack, bobs: str) -> None:
    room = new_room()
    async with await enter(stack.ws[0].ws_url, room) as alice:
        write(stack, room, 1001)
        await alice.until(lambda frame: 1001 in seqs(frame), "message 1001")  # her process knows of it
        async with await enter(bobs, room, since=0, epoch=alice.welcome["epoch"]) as bob:
            assert_fresh_start(bob, last=1001)
        async with await enter(bobs, room, since=1, epoch=alice.welcome["epoch"]) as bob:
            assert bob.welcome["recovered"] is True


async def test_what_cannot_be_resumed_is_a_fresh_start(stack: Stack, bobs: str) -> None:
    room = new_room()
    async with await enter(stack.ws[0].ws_url, room) as alice:
        for number in range(1, 4):
            await alice.say(f"{number}")
        epoch = alice.welcome["epoch"]
        for since in (
            "4",
            "99999999999999999999",
            "-1",
            "+1",
            "1.0",
            "0x1",
            "one",
            "",
            " 1",
            "٢",
            "1_0",
            "9" * 5000,
        ):
            async with await enter(bobs, room, since=since, epoch=epoch) as bob:
                assert_fresh_start(bob, last=3)
        for query in (
            {"since": 1},
            {"epoch": epoch},
            {"since": 1, "epoch": "another"},
            {"since": 1, "epoch": ""},
        ):
            async with await enter(bobs, room, **query) as bob:
                assert_fresh_start(bob, last=3)


async def test_bob_comes_and_goes_while_alice_talks_and_misses_nothing(stack: Stack) -> None:
    room, total = new_room(), 100  # as many as may be said in one go
    heard: list[int] = []
    async with await enter(stack.ws[0].ws_url, room) as alice:
        visits = 0

        async def talk() -> None:
            for number in range(total):
                while number >= 25 * (visits + 1):  # else it would be said before he has come often enough
                    await asyncio.sleep(0.01)
                await alice.say(f"{number}")

        talking = asyncio.create_task(talk())
        while len(heard) < total:
            process = stack.ws[visits % len(stack.ws)]
            last = heard[-1] if heard else 0
            async with await enter(process.ws_url, room, since=last, epoch=alice.welcome["epoch"]) as bob:
                assert bob.welcome["recovered"] is True
                enough = min(last + 20, total)
                await bob.until(lambda frame, enough=enough: enough in seqs(frame), "more")  # type: ignore[misc]
                bob.cut()
                heard += [message["seq"] for message in bob.messages()]
            visits += 1
        await talking
    assert heard == list(range(1, total + 1))
    assert visits > 3


def assert_fresh_start(bob: Socket, last: int) -> None:
    assert bob.welcome["recovered"] is False
    assert bob.welcome["seq"] == last
    expected = list(range(max(1, last - 49), last + 1))
    assert [message["seq"] for message in bob.welcome["messages"]] == expected


def seqs(frame: dict[str, object]) -> list[object]:
    messages = frame["messages"] if frame["type"] == "welcome" else [frame] if frame["type"] == "message" else []
    return [message["seq"] for message in messages]  # type: ignore[attr-defined]


def write(stack: Stack, room: str, count: int, body: str = "from long ago") -> None:
    """Put messages straight into the room's log, as another process would."""
    stack.open_room(room)
    stack.database.rows(
        "WITH log AS (UPDATE topics_log SET seq = seq + %(count)s, changed_at = clock_timestamp()"
        "  WHERE name = %(log)s RETURNING id, seq)"
        " INSERT INTO topics_entry (log_id, seq, client_id, author, name, guest, data, retracted, at)"
        " SELECT id, seq - %(count)s + n, %(prefix)s || n, '', 'Alice', true, %(data)s, false, clock_timestamp()"
        " FROM log, generate_series(1, %(count)s) n RETURNING seq",
        {"count": count, "log": f"room/{room}", "prefix": new_id(), "data": f'{{"body":"{body}"}}'},
    )
