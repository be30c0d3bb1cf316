"""A stand-in for Sentry: it takes envelopes, and keeps the errors that are in them."""

import gzip
import json
import time
from collections.abc import Callable
from typing import Any

from servers.answering import Answering, Quiet

SECONDS = 30.0


class Sentry(Answering):
    """`kinds` are of all items that came; `texts` is all that was said."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.kinds: list[str] = []
        self.texts = ""
        sentry = self

        class Handler(Quiet):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                encoding = self.headers.get("Content-Encoding")
                assert encoding in {None, "gzip"}, encoding
                assert self.path == "/api/7/envelope/", self.path
                sentry.take(gzip.decompress(body) if encoding else body)
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

        super().__init__(Handler)
        self.dsn = f"http://public@127.0.0.1:{self.port}/7"

    def take(self, envelope: bytes) -> None:
        self.texts += envelope.decode()
        _, rest = envelope.split(b"\n", 1)
        while rest:
            head, rest = rest.split(b"\n", 1)
            about = json.loads(head)
            length = about["length"]
            item, rest = rest[:length], rest[length:].lstrip(b"\n")
            self.kinds.append(about["type"])
            if about["type"] == "event":
                self.events.append(json.loads(item))

    def forget(self) -> None:
        self.events, self.kinds, self.texts = [], [], ""

    def until(self, fits: Callable[[dict[str, Any]], object], what: str) -> dict[str, Any]:
        """The first error that fits."""
        deadline = time.monotonic() + SECONDS
        while not (found := [event for event in tuple(self.events) if fits(event)]):
            assert time.monotonic() < deadline, f"no {what}; there are {[kind_of(event) for event in self.events]}"
            time.sleep(0.02)
        return found[0]

    def error(self, kind: str) -> dict[str, Any]:
        return self.until(lambda event: kind_of(event) == kind, kind)


def kind_of(event: dict[str, Any]) -> str:
    values = event.get("exception", {}).get("values") or [{"type": event.get("logentry", {}).get("message", "")}]
    return str(values[-1]["type"])
