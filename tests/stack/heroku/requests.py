"""As much of HTTP/1.1 as a router needs: heads read and written, bodies of a known length."""

import asyncio
import base64
import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

HEAD_BYTES = 64 * 1024


@dataclass
class Head:
    """`names` are lower case and keep their order; the same one may come twice."""

    first: str
    fields: list[tuple[str, str]] = field(default_factory=list)

    @property
    def method(self) -> str:
        return self.first.split(" ")[0]

    @property
    def path(self) -> str:
        return self.first.split(" ")[1]

    def get(self, name: str, default: str = "") -> str:
        return ",".join(value for other, value in self.fields if other == name) or default

    def set(self, name: str, value: str) -> None:
        self.drop(name)
        self.fields.append((name, value))

    def drop(self, name: str) -> None:
        self.fields = [each for each in self.fields if each[0] != name]

    def encode(self) -> bytes:
        lines = [self.first, *(f"{name}: {value}" for name, value in self.fields)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def read_head(reader: asyncio.StreamReader) -> Head:
    """Raises IncompleteReadError when the peer ends before, LimitOverrunError when it is too long."""
    raw = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = raw[:-4].split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return Head(first, [(name.strip().lower(), value.strip()) for name, _, value in pairs])


async def read_body(head: Head, reader: asyncio.StreamReader) -> bytes:
    """Of either kind; the head says its length afterwards."""
    if "chunked" not in head.get("transfer-encoding"):
        return await reader.readexactly(int(head.get("content-length", "0")))
    body = b""
    while size := int((await reader.readline()).partition(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    head.drop("transfer-encoding")
    head.set("content-length", str(len(body)))
    return body


def password(head: Head) -> str:
    """What came by Basic authorisation, or nothing."""
    kind, _, encoded = head.get("authorization").partition(" ")
    return base64.b64decode(encoded).decode().partition(":")[2] if kind == "Basic" else ""


def answer(status: int, body: Any = None, **headers: str) -> bytes:
    """The whole of it, and the connection's last. A str goes as text, everything else as JSON."""
    encoded = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    kind = "text/plain" if isinstance(body, str) else "application/json"
    names = {"Content-Type": kind, "Content-Length": str(len(encoded)), "Connection": "close"}
    names |= {name.replace("_", "-"): value for name, value in headers.items()}
    return Head(f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", list(names.items())).encode() + encoded


def streamed(kind: str) -> bytes:
    """The head of an answer that is over when the connection is."""
    return Head("HTTP/1.1 200 OK", [("Content-Type", kind), ("Connection", "close")]).encode()
