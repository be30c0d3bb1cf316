"""A program reads an answer while it is written, whatever of it is told twice, lost, or was there before."""

from collections.abc import AsyncIterator

import pytest

from topics.client import Event, JoinedTopic, More, Socket, connect
from unit.topics.scripted import Frame, Scripted, event, joined, scripted

from .test_client import joins, takes


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted() as script:
        yield script


@pytest.fixture
async def alice(server: Scripted) -> AsyncIterator[Socket]:
    async with connect(server.url) as socket:
        yield socket


def grows(seq: int, text: str = "") -> Frame:
    return event(seq, data={"text": text, "status": "growing"})


def more(seq: int, at: int, text: str) -> Frame:
    return {"type": "more", "topic": "t", "seq": seq, "at": at, "text": text}


async def texts(topic: JoinedTopic, count: int) -> list[str]:
    return [news.text for news in await takes(topic, count) if isinstance(news, More)]


async def test_the_text_is_told_as_it_grows_whole_and_each_of_it_once(alice: Socket, server: Scripted) -> None:
    topic = await joins(alice, server, joined(1, grows(1)))
    await server.says(
        *(more(1, 0, "Pizza"), more(1, 0, "Pizza is"), more(1, 0, "Pizza is"), more(1, 5, " is 🍕"), more(1, 11, "!")),
        {**event(2), "type": "change", "about": 1, "data": {"text": "Pizza is 🍕!", "status": "done"}},
    )
    news = await takes(topic, 6)
    assert [one.text for one in news if isinstance(one, More)] == ["Pizza", "Pizza is", "Pizza is 🍕", "Pizza is 🍕!"]
    assert isinstance(news[-1], Event)
    assert news[-1].data == {"text": "Pizza is 🍕!", "status": "done"}


async def test_what_was_lost_is_asked_for_once_when_it_is_stored(
    alice: Socket, server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("topics.client.growing.STORED_SECONDS", 0.05)
    topic = await joins(alice, server, joined(1, grows(1, "Pizza")))
    await server.says(more(1, 9, "best"), more(1, 9, "best!"))
    assert await server.hears("join", 2) == {"type": "join", "topic": "t", "since": 1, "epoch": "e"}
    await server.says(joined(1, recovered=True), more(1, 0, "Pizza is best!"), more(1, 14, " Yes."))
    assert await texts(topic, 3) == ["Pizza is best!", "Pizza is best! Yes."]
    assert len([frame for _, frame in server.heard if frame["type"] == "join"]) == 2


async def test_a_program_stops_it(alice: Socket, server: Scripted) -> None:
    topic = await joins(alice, server, joined(1, grows(1)))
    await topic.cancel(1)
    assert await server.hears("cancel") == {"type": "cancel", "topic": "t", "seq": 1}
