"""Every frame of every test is held to docs/asyncapi.json: what the server says, and what clients say on purpose well.

A frame that is not as documented is a fault of the test in which it was said, whoever heard it.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError
from websockets.asyncio.client import ClientConnection
from websockets.typing import Data

DOCS = Path(__file__).parents[1] / "docs"
EVENT = "#/components/schemas/StreamEvent"
PLACES = {"topics": re.compile(r"/ws/"), "rooms": re.compile(r"/ws/room/[^/]+/")}

faults: list[str] = []


@cache
def document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DOCS / name).read_text())
    return found


@cache
def frame_schema(protocol: str, direction: str, kind: str) -> Draft202012Validator:
    """KeyError where the protocol has no such frame."""
    components = document("asyncapi.json")["components"]
    payload = components["messages"][f"{protocol}.{direction}.{kind}"]["payload"]
    return Draft202012Validator({**payload, "components": {"schemas": components["schemas"]}})


def fault_of(protocol: str, direction: str, frame: Any) -> str:
    """What is wrong with a frame; empty where nothing is."""
    try:
        frame_schema(protocol, direction, frame["type"]).validate(frame)
    except (KeyError, TypeError):
        return f"No frame of the {direction}'s in {protocol}.v1: {shown(frame)}"
    except ValidationError as error:
        return f"Not as docs/asyncapi.json has the {direction}'s frames: {error.message} in {shown(frame)}"
    return ""


def shown(frame: Any) -> str:
    return json.dumps(frame, ensure_ascii=False)[:500]


def heard(protocol: str, frames: Any) -> None:
    """One frame of the server's, or an array of them."""
    for frame in frames if isinstance(frames, list) else [frames]:
        if fault := fault_of(protocol, "server", frame):
            faults.append(fault)


def said(protocol: str, frame: Any) -> None:
    """What a client says. Frames that are to be refused are not given to this."""
    if fault := fault_of(protocol, "client", frame):
        faults.append(fault)


class Stream:
    """Takes a stream of server-sent events line by line, and holds each event to docs/openapi.json."""

    def __init__(self) -> None:
        self._fields: dict[str, Any] = {}

    def take(self, line: bytes) -> Any:
        """The frame, where the line has one: the last of its event."""
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name:
            self._fields[name] = int(value) if name == "retry" else value
        if name != "data":
            return None
        event, self._fields = self._fields, {}
        if fault := fault_of_event(event):
            faults.append(fault)
        return json.loads(value)


def fault_of_event(event: dict[str, Any]) -> str:
    """What is wrong with an event of a stream; empty where nothing is."""
    try:
        openapi_schema(json.dumps({"$ref": EVENT})).validate(event)
        data = document("openapi.json")["components"]["schemas"][EVENT.rpartition("/")[2]]["properties"]["data"]
        openapi_schema(json.dumps(data["contentSchema"])).validate(json.loads(event["data"]))
    except ValidationError as error:
        return f"Not as docs/openapi.json has the events of a stream: {error.message} in {shown(event)}"
    return ""


def answered(response: Any, path: str = "/topics/{name}") -> Any:
    """A response of Django's for a topic, with what docs/openapi.json says of its status."""
    kind, method = response.headers["Content-Type"].partition(";")[0], response.request["method"].lower()
    try:
        declared = document("openapi.json")["paths"][path][method]["responses"][str(response.status_code)]
        body = declared["content"][kind]["schema"]
        if kind.endswith("json"):
            openapi_schema(json.dumps(body)).validate(response.json())
    except KeyError:
        faults.append(f"docs/openapi.json has no {response.status_code} with {kind} for {method}")
    except ValidationError as error:
        faults.append(f"Not as docs/openapi.json has it: {error.message} in {response.content[:500]!r}")
    return response


@cache
def openapi_schema(body: str) -> Draft202012Validator:
    return Draft202012Validator({**json.loads(body), "components": document("openapi.json")["components"]})


def protocol_at(address: str) -> str | None:
    """That of the socket at an address, path or URL; None where it is neither of ours."""
    path = re.sub(r"^wss?://[^/]*", "", address).partition("?")[0]
    return next((name for name, place in PLACES.items() if place.fullmatch(path)), None)


class Checked(ClientConnection):
    """A client's connection of which all that the server says is checked."""

    async def recv(self, decode: bool | None = None) -> Data:
        message = await super().recv(decode)
        if protocol := protocol_of(self):
            heard(protocol, json.loads(message))
        return message


def protocol_of(connection: ClientConnection) -> str | None:
    return protocol_at(connection.request.path) if connection.request else None
