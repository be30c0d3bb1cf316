"""The documents of what is spoken: they are as the code is, and frames that are not as documented are found."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

import contract
from rooms import frames as rooms_frames
from topics.delivery import frames
from topics.documents import asyncapi, openapi, protocols, register
from topics.http import posting
from topics.management.commands.topics_documents import worded
from topics.wording import BadFrame

DOCS = contract.DOCS


@pytest.mark.parametrize(
    ("name", "document"), [("asyncapi.json", asyncapi.document), ("openapi.json", openapi.document)]
)
def test_the_documents_are_as_the_code_is(name: str, document: Any) -> None:
    command = 'make manage ARGS="topics_documents ../docs"'
    assert (DOCS / name).read_text() == worded(document()), f"docs/{name} is out of date: {command}"


def test_the_command_writes_both(tmp_path: Path) -> None:
    call_command("topics_documents", str(tmp_path / "new"), verbosity=0)
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"asyncapi.json", "openapi.json"}


def test_an_app_that_speaks_a_protocol_is_in_the_document_once() -> None:
    register("rooms.protocol.ROOMS_V1")
    assert [protocol.name for protocol in protocols()] == ["topics.v1", "rooms.v1"]


@pytest.mark.parametrize(("key", "schemas"), [("topics", frames.SCHEMAS), ("rooms", rooms_frames.SCHEMAS)])
def test_all_that_a_client_may_say_is_documented(key: str, schemas: dict[str, Any]) -> None:
    messages = asyncapi.document()["channels"][key]["messages"]
    assert [name.split(".")[2] for name in messages if name.split(".")[1] == "client"] == list(schemas)


def test_every_field_and_frame_says_what_it_is() -> None:
    messages = asyncapi.document()["components"]["messages"]
    assert [name for name, message in messages.items() if not message["summary"]] == []


AT = "2026-01-02T03:04:05.678Z"
EVENT = {"type": "event", "topic": "votes/lunch", "seq": 1, "id": "a", "by": None, "data": {}, "at": AT}


@pytest.mark.parametrize(
    "frame",
    [
        {**EVENT, "seq": 0},
        {**EVENT, "at": "yesterday"},
        {**EVENT, "by": {"name": "alice", "guest": True}},
        {**EVENT, "colour": "red"},
        {**EVENT, "retracted": None},
        {key: value for key, value in EVENT.items() if key != "data"},
        {**EVENT, "type": "happening"},
        {"topic": "votes/lunch"},
        [EVENT],
        None,
    ],
)
def test_what_the_server_must_not_say_is_found(frame: Any) -> None:
    assert contract.fault_of("topics", "server", EVENT) == ""
    assert contract.fault_of("topics", "server", frame)


@pytest.mark.parametrize(
    ("frame", "good"),
    [
        ({"type": "join", "topic": "votes/lunch", "since": 4, "epoch": "e"}, True),
        ({"type": "join", "topic": "votes/lunch"}, True),
        ({"type": "join", "topic": ""}, False),
        ({"type": "join", "topic": "a" * 201}, False),
        ({"type": "join", "topic": "votes/lunch", "since": -1, "epoch": "e"}, False),
        ({"type": "join", "topic": "votes/lunch", "since": 2**63, "epoch": "e"}, False),
        ({"type": "join", "topic": "votes/lunch", "since": "4", "epoch": "e"}, False),
        ({"type": "send", "topic": "votes/lunch", "data": None}, True),
        ({"type": "send", "topic": "votes/lunch", "id": "a" * 64, "data": [1, {"a": 2.5}]}, True),
        ({"type": "send", "topic": "votes/lunch", "id": "a" * 65, "data": 1}, False),
        ({"type": "send", "topic": "votes/lunch"}, False),
        ({"type": "signal", "topic": "votes/lunch", "data": "x", "more": 1}, True),
        ({"type": "read", "topic": "votes/lunch", "seq": 1.5}, False),
        ({"type": "read", "topic": "votes/lunch", "seq": 0}, True),
        ({"type": "leave"}, False),
        ({"type": "ping"}, True),
        ({"type": "vote"}, False),
    ],
)
def test_the_server_takes_what_the_document_allows(frame: dict[str, Any], good: bool) -> None:
    assert (contract.fault_of("topics", "client", frame) == "") == good
    if good:
        frames.parse(json.dumps(frame))
    else:
        with pytest.raises(BadFrame):
            frames.parse(json.dumps(frame))


STREAMED = {"id": "e/1", "data": json.dumps(EVENT)}


@pytest.mark.parametrize(
    "event",
    [
        {**STREAMED, "id": "1"},
        {**STREAMED, "event": "message"},
        {**STREAMED, "retry": -1},
        {"id": "e/1"},
        {"data": json.dumps({**EVENT, "seq": 0})},
        {"data": json.dumps({"type": "pong"})},
    ],
)
def test_what_a_stream_must_not_say_is_found(event: dict[str, Any]) -> None:
    assert contract.fault_of_event(STREAMED) == contract.fault_of_event({"data": json.dumps(EVENT)}) == ""
    assert contract.fault_of_event(event)


@pytest.mark.parametrize(
    ("address", "protocol"),
    [
        ("/ws/", "topics"),
        ("ws://127.0.0.1:8000/ws/?x=1", "topics"),
        ("/ws/room/caf%C3%A9/?since=1&epoch=e", "rooms"),
        ("/ws/echo/", None),
        ("/ws/room/a/b/", None),
    ],
)
def test_the_address_says_which_protocol_is_spoken(address: str, protocol: str | None) -> None:
    assert contract.protocol_at(address) == protocol


def test_a_post_is_judged_by_the_model_that_is_documented() -> None:
    schema = openapi.document()["components"]["schemas"]["Posted"]
    assert set(schema["properties"]) == set(posting.Posted.model_fields)
    assert schema["required"] == ["data"]
