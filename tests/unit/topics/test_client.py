"""The Python client against a server that says what the test says: alice follows a topic through all that happens."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from topics.client import Closed, Event, Presence, Refused, Reset, Signal, Socket, Unreachable, connect
from topics.client import joined as joined_module
from topics.client.dialing import address_of, back_off, sentence
from topics.client.joined import JoinedTopic

from .scripted import Scripted, event, joined, scripted

BOB = {"key": "b", "name": "bob", "guest": False}


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted() as script:
        yield script


@pytest.fixture
async def alice(server: Scripted) -> AsyncIterator[Socket]:
    async with connect(server.url, longest_pause=0.05) as socket:
        yield socket


async def joins(alice: Socket, server: Scripted, answer: Any, **position: Any) -> JoinedTopic:
    joining = asyncio.create_task(alice.join("t", **position))
    await server.hears("join")
    await server.says(answer)
    return await joining


async def takes(topic: JoinedTopic, count: int) -> list[Any]:
    found = []
    async for news in topic.everything():
        found.append(news)
        if len(found) == count:
            return found
    raise AssertionError(f"it ended after {found}")


async def all_until(topic: JoinedTopic, seq: int) -> list[int]:
    found: list[int] = []
    async for one in topic:
        found.append(one.seq)
        if one.seq == seq:
            break
    return found


def numbers(news: list[Any]) -> list[Any]:
    return [one.seq if isinstance(one, Event) else type(one).__name__ for one in news]


async def test_history_and_what_follows_come_in_order_with_everything_they_carry(
    alice: Socket, server: Scripted
) -> None:
    topic = await joins(alice, server, joined(2, event(1), event(2, by=BOB), unread=2))
    change = {"type": "change", "topic": "t", "seq": 3, "about": 1, "by": None, "retracted": True}
    await server.says({**change, "at": "2026-01-02T03:04:05.678Z"}, {"type": "a later version's", "topic": "t"})
    await server.says({"type": "signal", "topic": "t", "by": BOB, "data": {"x": 1}})
    await server.says({"type": "presence", "topic": "t", "joined": [BOB], "left": [], "member_count": 2})
    first, second, third, signal, presence = await takes(topic, 5)
    assert (first.seq, first.by, first.data, first.epoch) == (1, None, 1, "e")
    assert (second.by.name, second.at.year, second.at.tzinfo is not None) == ("bob", 2026, True)
    assert (third.seq, third.about, third.retracted, third.data) == (3, 1, True, None)
    assert isinstance(signal, Signal)
    assert signal.data == {"x": 1}
    assert isinstance(presence, Presence)
    assert (topic.member_count, set(topic.members), topic.unread) == (2, {"k", "b"}, 2)
    assert topic.position == ("e", 3)
    assert alice.you.name == "alice"


async def test_a_cut_line_is_dialled_again_and_each_event_comes_once(alice: Socket, server: Scripted) -> None:
    topic = await joins(alice, server, joined(2, event(1), event(2)))
    server.cuts()
    assert (await server.hears("join", 2)) == {"type": "join", "topic": "t", "since": 2, "epoch": "e"}
    await server.says(joined(4, event(3), event(4), recovered=True), event(4), event(5))
    assert numbers(await takes(topic, 5)) == [1, 2, 3, 4, 5]


async def test_a_hole_is_asked_for_again(alice: Socket, server: Scripted) -> None:
    topic = await joins(alice, server, joined(1, event(1)))
    await server.says(event(3), event(4))
    assert (await server.hears("join", 2))["since"] == 1
    await server.says(joined(4, event(2), event(3), event(4), recovered=True), event(5))
    assert numbers(await takes(topic, 5)) == [1, 2, 3, 4, 5]
    assert len([frame for _, frame in server.heard if frame["type"] == "join"]) == 2


@pytest.mark.parametrize("position", [{"seq": 2, "epoch": "e"}, {"seq": 1, "epoch": "another"}])
async def test_a_position_that_is_not_hers_makes_her_ask_again(
    alice: Socket, server: Scripted, position: dict[str, Any]
) -> None:
    await joins(alice, server, joined(1, event(1)))
    await server.says({"type": "seq", "topic": "t", "seq": 1, "epoch": "e"})
    await server.says({"type": "seq", "topic": "t", **position})
    assert (await server.hears("join", 2))["since"] == 1


async def test_what_cannot_be_continued_is_a_reset(alice: Socket, server: Scripted) -> None:
    topic = await joins(alice, server, joined(9, event(8), event(9), epoch="new"), since=5, epoch="old")
    reset, *events = await takes(topic, 3)
    assert reset == Reset("new", 9)
    assert numbers(events) == [8, 9]
    assert events[0].epoch == "new"


async def test_who_was_there_before_the_first_event_goes_on_from_nothing(alice: Socket, server: Scripted) -> None:
    topic = await joins(alice, server, joined(0, epoch=""))
    await server.says(event(1, epoch="e"))
    assert (await takes(topic, 1))[0].epoch == "e"
    server.cuts()
    assert (await server.hears("join", 2)) == {"type": "join", "topic": "t", "since": 1, "epoch": "e"}


async def test_what_is_not_acknowledged_is_sent_again_under_its_id_and_in_order(
    alice: Socket, server: Scripted
) -> None:
    sending = [asyncio.create_task(alice.send("t", number)) for number in range(3)]
    await server.hears("send", 3)
    server.cuts()
    await server.hears("send", 6)
    sent = [(frame["id"], frame["data"]) for _, frame in server.heard]
    assert sent[:3] == sent[3:]
    assert [data for _, data in sent[:3]] == [0, 1, 2]
    for number, (id, _) in enumerate(sent[:3], 1):
        await server.says({"type": "ack", "topic": "t", "id": id, "seq": number, "at": "2026-01-02T03:04:05.678Z"})
    acks = await asyncio.gather(*sending)
    assert [(ack.seq, ack.id) for ack in acks] == [(number, id) for number, (id, _) in enumerate(sent[:3], 1)]


async def test_a_server_that_asks_to_wait_is_sent_the_same_again(alice: Socket, server: Scripted) -> None:
    sending = asyncio.create_task(alice.send("t", 1, id="a"))
    await server.hears("send")
    error = {"type": "error", "code": "rate_limited", "detail": "Slower.", "topic": "t", "id": "a"}
    await server.says({**error, "retry_after_ms": 10})
    await server.hears("send", 2)
    await server.says({"type": "ack", "topic": "t", "id": "a", "seq": None, "at": None})
    assert await sending == ("a", None, None)


async def test_what_is_refused_is_an_exception_that_says_why(alice: Socket, server: Scripted) -> None:
    sending = asyncio.create_task(alice.send("t", 1, id="a"))
    await server.hears("send")
    await server.says({"type": "error", "code": "refused", "detail": "No.", "topic": "t", "id": "a"})
    with pytest.raises(Refused, match="No") as refused:
        await sending
    assert (refused.value.code, refused.value.detail, refused.value.retry_after) == ("refused", "No.", None)
    with pytest.raises(Refused) as refused:
        await alice.send("t", "x" * 100)
    assert refused.value.code == "too_long"
    with pytest.raises(ValueError, match="JSON"):
        await alice.send("t", float("nan"))
    with pytest.raises(ValueError, match="64"):
        await alice.send("t", 1, id="")
    assert len(server.heard) == 1, "what cannot be right is not sent"


async def test_a_topic_that_there_is_not_is_refused_and_costs_nothing_else(alice: Socket, server: Scripted) -> None:
    joining = asyncio.create_task(alice.join("t"))
    await server.hears("join")
    await server.says({"type": "error", "code": "no_such_topic", "detail": "None for you.", "topic": "t"})
    with pytest.raises(Refused, match="None for you"):
        await joining
    topic = await joins(alice, server, joined(1, event(1)))
    assert numbers(await takes(topic, 1)) == [1]


async def test_a_join_that_is_too_early_is_repeated(alice: Socket, server: Scripted) -> None:
    joining = asyncio.create_task(alice.join("t"))
    await server.hears("join")
    error = {"type": "error", "code": "unavailable", "detail": "Not now.", "topic": "t", "retry_after_ms": 10}
    await server.says(error)
    await server.hears("join", 2)
    await server.says(joined(0, epoch=""))
    assert (await joining).position == ("", 0)


async def test_who_is_put_out_of_a_topic_hears_the_rest_and_then_so(alice: Socket, server: Scripted) -> None:
    topic = await joins(alice, server, joined(1, event(1)))
    await server.says({"type": "left", "topic": "t", "reason": "forbidden"})
    assert numbers(await takes(topic, 1)) == [1]
    with pytest.raises(Refused) as refused:
        await takes(topic, 1)
    assert refused.value.code == "forbidden"


async def test_who_leaves_a_topic_has_heard_it_all_and_may_come_back(alice: Socket, server: Scripted) -> None:
    topic = await joins(alice, server, joined(1, event(1)))
    await topic.leave()
    assert [one.seq async for one in topic] == [1]
    again = asyncio.create_task(alice.join("t"))
    await server.hears("join", 2)
    await server.says({"type": "left", "topic": "t", "reason": "asked"}, joined(1, event(1)))
    assert numbers(await takes(await again, 1)) == [1]


async def test_who_may_not_come_back_is_told_and_does_not(alice: Socket, server: Scripted) -> None:
    topic = await joins(alice, server, joined(0, epoch=""))
    sending = asyncio.create_task(alice.send("t", 1))
    await server.hears("send")
    await server.says({"type": "goodbye", "reason": "login_required", "after_ms": 0})
    await server.connections[-1].close(4401)
    for waiting in (sending, takes(topic, 1), alice.send("t", 2), alice.join("u")):
        with pytest.raises(Closed) as closed:
            await waiting
        assert closed.value.code == "login_required"
    assert len(server.connections) == 1


async def test_a_restart_is_waited_out(alice: Socket, server: Scripted) -> None:
    began = asyncio.get_running_loop().time()
    await server.says({"type": "goodbye", "reason": "restart", "after_ms": 300})
    await server.connections[-1].close(4501)
    while len(server.connections) < 2:
        await asyncio.sleep(0.01)
    assert asyncio.get_running_loop().time() - began >= 0.3


async def test_a_server_that_says_nothing_at_all_is_left(server: Scripted) -> None:
    states: list[str] = []
    async with connect(server.url, silence=0.05, longest_pause=0.01, on_state=states.append):
        await server.hears("ping")
        while len(server.connections) < 2:
            await asyncio.sleep(0.01)
        await server.hears("ping", 2)
    assert states[:3] == ["online", "offline", "online"]


async def test_what_she_does_not_take_is_kept_to_a_bound_and_asked_for_when_she_does(
    alice: Socket, server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joined_module, "MOST_WAITING", 3)
    topic = await joins(alice, server, joined(1, event(1)))
    assert numbers(await takes(topic, 1)) == [1]
    await server.says(*map(event, range(2, 8)))
    await server.says({"type": "signal", "topic": "t", "by": BOB, "data": 1})
    while "b" not in topic.members:  # by then she has heard it all
        await server.says({"type": "presence", "topic": "t", "joined": [BOB], "left": [], "member_count": 2})
        await asyncio.sleep(0.01)
    await topic.signal("now")
    await server.hears("signal")
    assert len([frame for _, frame in server.heard if frame["type"] == "join"]) == 1, "she would have to drop it again"
    assert numbers([one for one in await takes(topic, 3) if isinstance(one, Event)]) == [2, 3, 4]
    monkeypatch.undo()
    more = asyncio.create_task(all_until(topic, 7))
    assert (await server.hears("join", 2))["since"] == 4
    await server.says(joined(7, event(5), recovered=True))
    await server.says(event(6), event(7))
    assert await more == [5, 6, 7]


async def test_what_she_has_read_is_said_again_where_the_line_was_cut(alice: Socket, server: Scripted) -> None:
    topic = await joins(alice, server, joined(2, event(1), event(2)))
    reading = asyncio.create_task(topic.read(2))
    await server.hears("read")
    server.cuts()
    await server.hears("join", 2)
    await server.says(joined(2, recovered=True))
    assert (await server.hears("read", 2))["seq"] == 2
    await server.says({"type": "unread", "topic": "t", "unread": 4})
    assert (await reading, topic.unread) == (4, 4)


async def test_what_cannot_be_understood_costs_a_connection_and_not_the_client(
    alice: Socket, server: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    await server.connections[-1].send("no JSON")
    while len(server.connections) < 2:
        await asyncio.sleep(0.01)
    assert "cannot be understood" in caplog.text


async def test_a_mistake_in_what_she_is_told_by_is_hers(server: Scripted, caplog: pytest.LogCaptureFixture) -> None:
    def mistaken(state: str) -> None:
        raise ZeroDivisionError

    caplog.set_level(logging.ERROR)
    async with connect(server.url, on_state=mistaken) as socket:
        await joins(socket, server, joined(0, epoch=""))
    assert "on_state has failed" in caplog.text


async def test_who_she_is_goes_with_the_handshake(server: Scripted) -> None:
    who: dict[str, Any] = {"cookies": {"sessionid": "s", "guest": "g"}, "headers": {"X-Own": "1"}}
    async with connect(server.url, token="secret", **who):
        request = server.connections[0].request
        assert request is not None
        assert request.headers["Authorization"] == "Bearer secret"
        assert request.headers["Cookie"] == "sessionid=s; guest=g"
        assert request.headers["X-Own"] == "1"
        assert request.path == "/ws/"


async def test_leaving_ends_everything_that_waits(server: Scripted) -> None:
    async with connect(server.url) as socket:
        topic = await joins(socket, server, joined(0, epoch=""))
        sending = asyncio.create_task(socket.send("t", 1))
        await server.hears("send")
    assert [one async for one in topic] == []
    with pytest.raises(Closed):
        await sending
    await server.connections[0].wait_closed()
    assert server.connections[0].close_code == 1000
    assert len(asyncio.all_tasks()) <= 3, "nothing of the client is left"


# --- The first dial ----------------------------------------------------------------------------------


async def test_where_nobody_listens_the_first_dial_says_so() -> None:
    with pytest.raises(Unreachable, match="Nobody listens"):
        await connect("ws://127.0.0.1:1").__aenter__()


async def test_who_may_not_come_in_is_told_why(server: Scripted) -> None:
    server.first = [{"type": "goodbye", "reason": "login_required", "after_ms": 0}]
    with pytest.raises(Closed) as closed:
        await connect(server.url).__aenter__()
    assert closed.value.code == "login_required"


async def test_a_server_of_something_else_is_named(server: Scripted) -> None:
    async with scripted(protocols=None) as other:
        with pytest.raises(Unreachable, match="does not speak topics"):
            await connect(other.url).__aenter__()
    server.welcome = {"type": "hello"}
    with pytest.raises(Unreachable, match="gave no welcome"):
        await connect(server.url).__aenter__()


@asynccontextmanager
async def answering(status: str) -> AsyncIterator[str]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(("status", "hint"), [("404 Not Found", "/ws/"), ("503 Busy", "try again"), ("403 No", "wss")])
async def test_a_refused_handshake_says_what_to_do(status: str, hint: str) -> None:
    async with answering(status) as url:
        with pytest.raises(Unreachable, match=hint):
            await connect(url).__aenter__()


def test_addresses_are_taken_as_people_write_them() -> None:
    assert address_of("http://localhost:8000") == "ws://localhost:8000/ws/"
    assert address_of("wss://rooms.example.org/") == "wss://rooms.example.org/ws/"
    assert address_of("https://rooms.example.org/live/ws/") == "wss://rooms.example.org/live/ws/"
    for wrong in ("localhost:8000", "ftp://a/", "ws://", ""):
        with pytest.raises(ValueError, match="address"):
            address_of(wrong)


def test_pauses_grow_with_full_jitter_to_a_bound() -> None:
    assert all(0 <= back_off(attempt, 4) <= min(4, 0.5 * 2**attempt) for attempt in range(50))
    assert max(back_off(50, 4) for _ in range(200)) > 2


def test_other_errors_are_said_as_they_are() -> None:
    assert "cannot be reached: odd" in sentence(OSError("odd"), "ws://a/")
