"""Where spans go, in a thread of the library's own. While nobody takes them they are dropped, and one line says so."""

import logging
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from realtime.seldom import Seldom, again

SECONDS = 5  # for a batch, with what is tried again

logger = logging.getLogger(__name__)


class Collector(SpanExporter):
    def __init__(self, endpoint: str, headers: Mapping[str, str]) -> None:
        self._place = urlsplit(endpoint).netloc.rpartition("@")[2]
        address = f"{endpoint.rstrip('/')}/v1/traces"
        self._exporter = OTLPSpanExporter(address, headers=headers, timeout=SECONDS, compression=Compression.Gzip)
        self._seldom, self._is_told = Seldom(), False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            self._taken()
        else:
            self._lost(len(spans))
        return result

    def _lost(self, spans: int) -> None:
        if (times := self._seldom.due("")) is not None:
            self._is_told = True
            sentence = "%d spans are lost: OTEL_EXPORTER_OTLP_ENDPOINT: the collector at %s does not take them%s"
            logger.warning(sentence, spans, self._place, again(times))

    def _taken(self) -> None:
        if self._is_told:
            self._is_told = False
            logger.warning("the collector at %s takes spans again", self._place)

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)
