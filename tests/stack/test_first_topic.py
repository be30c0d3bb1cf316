"""The app with which docs/topics.md begins, in the stack: `make rollout` brings it, and nothing costs a vote."""

import asyncio
from collections.abc import Iterator

import pytest

import first_topic
from client import Socket, dial
from stack.compose import Stack, until
from stack.steering import leave_all
from strangers import history, vote_through


@pytest.fixture(scope="module")
def with_votes(stack: Stack) -> Iterator[Stack]:
    settings = stack.folder / "app" / "config" / "settings.py"
    before = settings.read_text()
    first_topic.install(stack.folder / "app")
    stack.run("make", "rollout")
    yield stack
    settings.write_text(before)
    stack.run("rm", "-r", "app/votes")
    stack.run("make", "rollout")
    stack.up()  # a rollout removes what had ended: others look at it


async def test_a_vote_is_heard_on_either_container_by_socket_and_by_curl(with_votes: Stack) -> None:
    sockets = await on_each_container(with_votes, "votes/lunch")
    append = "from votes.topics import Votes; Votes(poll='lunch').append('pasta')"
    with first_topic.followed(with_votes.base_url) as frames:
        assert first_topic.voted(with_votes.base_url, "pizza")["seq"] == 1
        await asyncio.to_thread(with_votes.run, "make", "manage", "STACK=1", f'ARGS=shell --command "{append}"')
        events = (frame for frame in frames if frame["type"] == "event")
        assert [next(events)["data"], next(events)["data"]] == ["pizza", "pasta"]
    for socket in sockets:
        await socket.until(lambda frame: frame["type"] == "event" and frame["seq"] == 2, "the second vote")
        assert [frame["data"] for frame in socket.frames if frame["type"] == "event"] == ["pizza", "pasta"]
    await leave_all(sockets)
    assert [data for _, _, data in history(with_votes.ws_url, "votes/lunch")] == ["pizza", "pasta"]


async def test_a_container_that_dies_costs_no_vote(with_votes: Stack) -> None:
    victim = with_votes.containers("ws")[0]
    restarts = victim.restarts

    async def fault() -> None:
        await asyncio.to_thread(victim.crash)
        await asyncio.to_thread(until, lambda: victim.restarts > restarts, f"restart of {victim}")

    account = await vote_through(with_votes.ws_url, fault)
    assert account.dials > 4, "somebody had to come back"
    await asyncio.to_thread(with_votes.settle)


async def test_the_next_version_of_the_app_comes_by_rollout_and_costs_no_vote(with_votes: Stack) -> None:
    topics = with_votes.folder / "app" / "votes" / "topics.py"
    topics.write_text(topics.read_text().replace('("pizza", "pasta")', '("pizza", "pasta", "soup")'))

    async def rollout() -> None:
        await asyncio.to_thread(with_votes.run, "make", "rollout")

    account = await vote_through(with_votes.ws_url, rollout)
    assert account.dials >= 8, "everybody had to come back"
    assert "There is" in first_topic.voted(with_votes.base_url, "stone")["detail"]
    assert first_topic.voted(with_votes.base_url, "soup")["seq"]


async def on_each_container(stack: Stack, topic: str) -> list[Socket]:
    """Sockets that follow the topic, at least one on each ws container."""
    sockets: list[Socket] = []
    addresses = {container.address for container in stack.containers("ws")}
    while not addresses <= set(taken := await asyncio.to_thread(stack.sockets)) or len(sockets) < len(addresses):
        assert len(sockets) < 40, f"nginx leads to {taken}"
        sockets.append(Socket(await dial(f"{stack.ws_url}/ws/", subprotocols=["topics.v1"])))
        await sockets[-1].send({"type": "join", "topic": topic})
        await sockets[-1].of_type("joined")
    return sockets
