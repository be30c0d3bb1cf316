"""A tracer whose spans a test can look at, and callers that trace themselves."""

import secrets

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from config.tracing.sampling import sampler
from config.tracing.spans import Spans


class Exported(InMemorySpanExporter):
    def __init__(self) -> None:
        super().__init__()
        provider = TracerProvider(sampler=sampler("parentbased_always_on", 1.0), shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self))
        self.spans = Spans(provider.get_tracer("tests"))

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.get_finished_spans() if span.name == name]

    def outcomes(self, name: str) -> list[object]:
        return [(span.attributes or {}).get("outcome") for span in self.named(name)]


def traceparent(*, sampled: bool = True) -> str:
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-{int(sampled):02}"
