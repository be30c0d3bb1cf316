"""A collector of traces: it takes OTLP over HTTP as the specification has it, and keeps the spans."""

import gzip
import time
from collections.abc import Callable
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from servers.answering import Answering, Quiet

SECONDS = 30.0


class Span(NamedTuple):
    trace: str
    id: str
    parent: str  # empty: it begins the trace
    name: str
    process: str
    service: str
    attributes: dict[str, object]
    links: set[tuple[str, str]]  # (trace, id)


class Collector(Answering):
    """`status` is what it answers. `texts` is all that it was sent, with the names and values that nobody looks for."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.spans: list[Span] = []
        self.texts = ""
        self.headers: list[dict[str, str]] = []
        collector = self

        class Handler(Quiet):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.headers.append({name.lower(): value for name, value in self.headers.items()})
                if collector.status == 200 and self.path == "/v1/traces":
                    collector.take(body)
                self.send_response(collector.status)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

        super().__init__(Handler)
        self.url = f"http://127.0.0.1:{self.port}"

    def take(self, body: bytes) -> None:
        sent = ExportTraceServiceRequest.FromString(body)
        self.texts += str(sent)
        for resource in sent.resource_spans:
            about = values(resource.resource.attributes)
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.spans.append(
                        Span(
                            span.trace_id.hex(),
                            span.span_id.hex(),
                            span.parent_span_id.hex(),
                            span.name,
                            str(about["service.instance.id"]),
                            str(about["service.name"]),
                            values(span.attributes),
                            {(link.trace_id.hex(), link.span_id.hex()) for link in span.links},
                        )
                    )

    def of(self, trace: str) -> list[Span]:
        return [span for span in tuple(self.spans) if span.trace == trace]

    def until(self, enough: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + SECONDS
        while not enough():
            assert time.monotonic() < deadline, f"no {what}; there are {[(s.name, s.service) for s in self.spans]}"
            time.sleep(0.02)

    def trace(self, trace: str, *names: str) -> dict[str, list[Span]]:
        """The trace's spans by name, once it has all these, as often as they are named."""
        self.until(
            lambda: all(sum(span.name == name for span in self.of(trace)) >= names.count(name) for name in set(names)),
            f"trace of {', '.join(names)}",
        )
        found: dict[str, list[Span]] = {}
        for span in self.of(trace):
            found.setdefault(span.name, []).append(span)
        return found


def values(attributes: "object") -> dict[str, object]:
    pairs: list[KeyValue] = list(attributes)  # type: ignore[call-overload]
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}
