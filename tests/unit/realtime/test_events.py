"""What two versions say to each other: alice's process is of this one, bob's of the next one."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from realtime import events, tracing
from realtime import hub as hub_module
from realtime.contract import Changed, Numbered
from realtime.events import KINDS, MEMBERS, MESSAGE, PRESENCE
from realtime.hub import Hub
from realtime.layers import group_of
from realtime.presence.exchange import Exchange
from realtime.seldom import Seldom
from realtime.standing import Notice
from unit.realtime.fakes import OURS, Layer, Permissive, Socket, until

ALICE = {"name": "alice", "guest": False}


class Rooms(Permissive):
    async def read(self, room: str, after: int, limit: int) -> list[Numbered]:
        return []

    async def changed(self, seconds: float) -> list[Changed]:
        return []

    async def notices(self, seconds: float) -> list[Notice]:
        return []

    def seq_frame(self, room: str, seq: int, epoch: str) -> str:
        return f"seq {seq}"

    def presence_frame(self, room: str, joined: Any, left: Any, member_count: int) -> str:
        return f"{member_count} members"


@pytest.fixture
def layer(monkeypatch: pytest.MonkeyPatch) -> Layer:
    layer = Layer()
    monkeypatch.setattr(hub_module, "get_channel_layer", lambda: layer)
    monkeypatch.setattr(hub_module, "TICK_SECONDS", 0.02)
    monkeypatch.setattr(events, "_ignored", Seldom())
    return layer


@pytest.fixture
async def hub(layer: Layer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    monkeypatch.setattr(hub_module.secrets, "token_hex", lambda size: "alices")
    hub = Hub(Rooms())
    yield hub
    await hub.close()


def follow(hub: Hub, key: str = "alice") -> Socket:
    socket = Socket(key)
    hub.join("7", socket, {**ALICE, "name": key}, epoch="epoch", position=0)
    return socket


async def tell(layer: Layer, *said: dict[str, Any], **more: Any) -> None:
    """As bob's process."""
    group = group_of("7", OURS)
    await until(lambda: layer.members(group))
    message = {"type": "hub.events", "of": OURS, "from": "bobs", "room": "7", "events": list(said), **more}
    await layer.group_send(group, message)


# --- What is said ------------------------------------------------------------------------------------


def test_the_encodings_are_what_the_other_version_expects() -> None:
    """Frozen. What is changed here has to be understood by the version before, and gets the next number."""
    assert events.VERSION == 5
    assert {name: (kind.fields, kind.since) for name, kind in KINDS.items()} == {
        "seq": ("seq epoch frame", 1),
        "by": ("frame by", 1),
        "doubt": ("doubt", 1),
        "spent": ("spent process", 1),
        "presence": ("presence", 1),
        "to": ("frame to", 2),
        "notice": ("notice person out", 2),
        "members": ("members question process", 2),
        "grows": ("frame grows", 3),
        "call": ("call", 3),
    }
    assert {name: (kind.fields, kind.since) for name, kind in MEMBERS.items()} == {
        "?": ("room limit", 2),
        "!": ("here", 2),
    }
    assert {name: (kind.fields, kind.since) for name, kind in PRESENCE.items()} == {
        "delta": ("room number previous joined left", 1),
        "lease": ("number since recent hello", 1),
        "ask": ("of rooms", 1),
        "state": ("as_of rooms", 1),
        "goodbye": ("", 1),
    }
    assert MESSAGE.fields == "type of from room events at"


def test_the_groups_are_where_the_other_version_looks() -> None:
    assert group_of(None, OURS) == "ours.processes"
    assert group_of("7", OURS) == "ours.room.7"
    assert group_of("topic:votes/lunch", OURS) == "ours.room.c3ccf7f3c98975be1efc3c3d03e92ae9"


async def test_a_hub_says_what_is_listed(layer: Layer, hub: Hub) -> None:
    follow(hub)
    hub.publish("7", "epoch", 1, '{"said":"hello"}')
    hub.mention("7", '{"type":"typing"}', by="alice")
    hub.doubt(person="alice")
    hub.doubt(room="7")
    hub._tell_spent({"user:1": 9})
    hub.tell("7", '{"type":"unread"}', to="user:1")
    hub.notify(Notice(3, "user:1", "7", out=True))
    hub.offer_growth("7", lambda: '{"type":"more"}')
    hub.call("cancel")
    hub._asking._began -= 10  # it has known the others for long
    asking = asyncio.create_task(hub.members("8", 100))
    await until(lambda: len(spoken(layer)) == 11)
    assert await asking == ({}, 0)
    question = next(event["question"] for event in spoken(layer) if "question" in event)
    assert spoken(layer) == [
        {"seq": 1, "epoch": "epoch", "frame": '{"said":"hello"}'},
        {"frame": '{"type":"typing"}', "by": "alice"},
        {"doubt": "alice"},
        {"doubt": None},
        {"spent": {"user:1": 9}, "process": "alices"},
        {"frame": '{"type":"unread"}', "to": "user:1"},
        {"notice": 3, "person": "user:1", "out": True},
        {"members": "!", "question": question, "process": "alices", "here": None},
        {"members": "?", "question": question, "room": "8", "limit": 100, "process": "alices"},
        {"frame": '{"type":"more"}', "grows": True},
        {"call": "cancel"},
    ]
    for message in layer.sent:
        assert list(message) == MESSAGE.fields.split()
        assert [message["type"], message["of"], message["from"]] == ["hub.events", OURS, "alices"]
    assert {name for event in spoken(layer) for name in event if name in KINDS} == KINDS.keys() - {"presence"}


def spoken(layer: Layer) -> list[dict[str, Any]]:
    said = [event for message in layer.sent for event in message["events"] if "presence" not in event]
    return sorted(said, key=lambda event: ([*KINDS].index(next(name for name in KINDS if name in event)), str(event)))


class Sampling:
    """A tracer that samples what alice says."""

    def __init__(self) -> None:
        self.handed: list[str] = []

    def publishing(self, event: dict[str, Any]) -> None:
        if "alice" in event["frame"]:
            event["traceparent"] = TRACED

    def published(self, events: list[dict[str, Any]]) -> None:
        pass

    def handed_out(self, parents: list[str], seconds: float, sockets: int) -> None:
        self.handed += parents


TRACED = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def test_an_event_names_its_trace_only_where_that_is_sampled(
    layer: Layer, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = follow(hub)
    await tell(layer, {"seq": 1, "epoch": "epoch", "frame": "nobody looks", "traceparent": TRACED})
    await until(lambda: alice.heard == ["nobody looks"])
    monkeypatch.setattr(tracing, "tracer", sampling := Sampling())
    hub.publish("7", "epoch", 2, "says alice")
    hub.publish("7", "epoch", 3, "says bob")
    await tell(layer, {"seq": 4, "epoch": "epoch", "frame": "says carol", "traceparent": TRACED[::-1]})
    await until(lambda: len(alice.heard) == 4)
    assert spoken(layer)[1:3] == [
        {"seq": 2, "epoch": "epoch", "frame": "says alice", "traceparent": TRACED},
        {"seq": 3, "epoch": "epoch", "frame": "says bob"},
    ]
    assert sampling.handed == [TRACED, TRACED[::-1]]


def test_presence_says_what_is_listed() -> None:
    said: list[dict[str, Any]] = []
    here = Exchange("alices", lambda room, event: said.append(event), lambda room: None, 0.0)
    here.listen("7")
    here.put("7", "user:1", ALICE)
    here.put("7", "user:2", ALICE)
    here.put("7", "user:2", None)
    here.tick(0.0)
    lease = {"presence": "lease", "process": "bobs", "number": 3, "since": 0, "recent": {"7": 3}, "hello": True}
    here.receive(lease, 1.0)
    here.tick(2.0)
    here.receive({"presence": "ask", "process": "bobs", "of": ["alices"], "rooms": ["7"]}, 2.0)
    here.tick(30.0)
    here.goodbye()
    changes = {"number": 2, "since": 0, "recent": {"7": 2}}
    said = json.loads(json.dumps(said))
    assert {event["presence"]: event for event in said} == {
        "lease": {"presence": "lease", "process": "alices", "hello": True, **changes},
        "delta": {
            "presence": "delta",
            "process": "alices",
            "room": "7",
            "number": 2,
            "previous": 0,
            "joined": {"user:1": ALICE},
            "left": ["user:2"],
        },
        "ask": {"presence": "ask", "process": "alices", "of": ["bobs"], "rooms": ["7"]},
        "state": {"presence": "state", "process": "alices", "as_of": 2, "rooms": [["7", 0, 1, {"user:1": ALICE}]]},
        "goodbye": {"presence": "goodbye", "process": "alices"},
    }
    for event in said:
        assert event.keys() == {"presence", "process", *PRESENCE[event["presence"]].fields.split()}


# --- What is heard -----------------------------------------------------------------------------------


async def test_an_event_of_a_later_version_is_ignored_and_told_seldom(
    layer: Layer, hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    alice = follow(hub)
    poem = {"poem": "roses", "frame": "red"}
    dance = {"presence": {"presence": "dance", "process": "bobs"}}
    await tell(layer, poem, poem, dance, {"seq": 1, "epoch": "epoch", "frame": "hello"})
    await until(lambda: "hello" in alice.heard)
    await tell(layer, poem, dance, {"seq": 2, "epoch": "epoch", "frame": "again"})
    await until(lambda: "again" in alice.heard)
    assert "red" not in alice.heard
    told = [record.message for record in caplog.records if "another version" in record.message]
    assert told == [
        "an event of another version of this program is ignored: frame, poem",
        "an event of another version of this program is ignored: presence dance",
    ]
    assert "failed" not in caplog.text


async def test_a_field_of_a_later_version_changes_nothing(layer: Layer, hub: Hub) -> None:
    alice = follow(hub)
    carol = follow(hub, "carol")
    await tell(
        layer,
        {"seq": 1, "epoch": "epoch", "frame": "hello", "mood": "glad"},
        {"frame": "typing", "by": "carol", "mood": "glad"},
        {"doubt": "alice", "mood": "glad"},
        version=2,
    )
    await until(lambda: "hello" in alice.heard and "typing" in alice.heard)
    assert "typing" not in carol.heard
    assert hub.standing.task is not None
