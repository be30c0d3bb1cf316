"""AsyncAPI 3 for every protocol that is registered: a channel each, with its frames in both directions."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from pydantic import BaseModel

from topics.documents import VERSION, Protocol, protocols
from topics.documents.schemas import reference, schemas

JSON: Final = "application/json"
DESCRIPTION: Final = (
    "Frames are text, one JSON object each, of at most 64 KiB in unescaped UTF-8. A client that offers a protocol's"
    " `.batch` gets an array of one or more of them in each frame, and sends one object a frame all the same. A client"
    " ignores what it does not know."
)


class Side(NamedTuple):
    """What one side says. `action` is what the server does with it."""

    protocol: Protocol
    name: str
    action: str
    frames: Sequence[type[BaseModel]]

    def called(self, name: str) -> str:
        """Both sides may have, say, a Signal."""
        return f"{self.protocol.key}.{self.name}.{name}"


def sides(protocol: Protocol) -> Iterator[Side]:
    yield Side(protocol, "client", "receive", protocol.client_frames)
    yield Side(protocol, "server", "send", protocol.server_frames)


def document() -> dict[str, Any]:
    all_sides = [side for protocol in protocols() for side in sides(protocol)]
    return {
        "asyncapi": "3.1.0",
        "info": {"title": "Sockets", "version": VERSION, "description": DESCRIPTION},
        "defaultContentType": JSON,
        "channels": {protocol.key: channel(protocol) for protocol in protocols()},
        "operations": {f"{side.protocol.key}.{side.action}": operation(side) for side in all_sides},
        "components": {
            "messages": {name: message for side in all_sides for name, message in messages(side).items()},
            "schemas": {
                name: schema for side in all_sides for name, schema in schemas(side.frames, side.called).items()
            },
        },
    }


def channel(protocol: Protocol) -> dict[str, Any]:
    query = {"query": {"type": "object", "properties": protocol.query}} if protocol.query else {}
    parameters = {name: {"description": text} for name, text in protocol.parameters.items()}
    names = [name for side in sides(protocol) for name in messages(side)]
    return {
        "address": protocol.address,
        "title": protocol.name,
        "description": protocol.description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        **({"parameters": parameters} if parameters else {}),
        "bindings": {"ws": {"method": "GET", **query, "bindingVersion": "0.1.0"}},
    }


def operation(side: Side) -> dict[str, Any]:
    place = f"#/channels/{side.protocol.key}"
    return {
        "action": side.action,
        "channel": {"$ref": place},
        "title": f"From the {side.name}",
        "messages": [{"$ref": f"{place}/messages/{name}"} for name in messages(side)],
    }


def messages(side: Side) -> dict[str, Any]:
    return {
        side.called(type_of(frame)): {
            "name": type_of(frame),
            "summary": " ".join((frame.__doc__ or "").split()),
            "payload": reference(frame, side.called),
        }
        for frame in side.frames
    }


def type_of(frame: type[BaseModel]) -> str:
    """What its field `type` says."""
    return str(frame.model_json_schema()["properties"]["type"]["const"])
