"""Errors to Sentry, or whatever takes its envelopes: what somebody has to mend, each kind once a minute.

A bug that a thousand sockets meet is one report, and one that is met in a thousand topics is one issue: what it is told
apart by are the sentence of the log, the kind of the error, and the functions in which it arose. Who it happened
to is known by the id in the log alone: neither addresses and paths nor headers, cookies, bodies and what people said
are sent. Refusals and clients that go are no errors.
"""

import logging
from typing import TYPE_CHECKING, Any, Final

import sentry_sdk
from django.core.exceptions import ImproperlyConfigured
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.integrations.logging import LoggingIntegration

from config.logging import without_secrets, without_values
from realtime import request_id, routing, tracing
from realtime.seldom import Seldom

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

DIFFERENT: Final = 50  # kinds of errors that are told within a minute
EXPECTED: Final = {"ClientDisconnected", "CancelledError", "ConnectionClosed", "Http404", "PermissionDenied"}
OF_STRANGERS: Final = ("django.security",)  # loggers: what comes to every site
SAYS_WHAT: Final = "realtime.failures"  # the logger whose sentences have words of ours alone
KEPT: Final = {
    *("event_id", "timestamp", "level", "platform", "logger", "transaction", "logentry", "exception", "fingerprint"),
    *("tags", "release", "environment", "server_name", "sdk", "contexts"),
}


def begin(dsn: str, *, release: str, environment: str, role: str) -> None:
    """Raises ImproperlyConfigured where the address is none."""
    try:
        start(dsn, release=release, environment=environment, role=role)
    except ValueError:
        raise ImproperlyConfigured("SENTRY_DSN is not an address as Sentry gives it.") from None


def start(dsn: str, *, release: str, environment: str, role: str) -> None:
    sentry_sdk.init(
        dsn,
        release=release or None,
        environment=environment,
        before_send=Reports(role),
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            AtexitIntegration(callback=lambda pending, seconds: None),
            DedupeIntegration(),
            ExcepthookIntegration(),
            LoggingIntegration(level=None, event_level=logging.ERROR),
            DjangoIntegration(middleware_spans=False, signals_spans=False, cache_spans=False),
        ],
        max_request_body_size="never",
        include_local_variables=False,
        max_breadcrumbs=0,
        auto_session_tracking=False,
        send_client_reports=False,
        shutdown_timeout=2,
    )


class Reports:
    """What becomes of each event: nothing, or what may be told of it."""

    def __init__(self, role: str) -> None:
        self._role = role
        self._seldom = Seldom(different=DIFFERENT)

    def __call__(self, event: "Event", hint: "Hint") -> "Event | None":
        if is_expected(event, hint):
            return None
        kept: Any = {name: value for name, value in event.items() if name in KEPT}
        kept["fingerprint"] = fingerprint(event, hint)
        times = self._seldom.due("\n".join(kept["fingerprint"]))
        if times is None:
            return None
        kept["contexts"] = {name: value for name, value in event.get("contexts", {}).items() if name == "runtime"}
        kept["tags"] = tags(self._role, times)
        if route := routing.current.get():
            kept["transaction"] = f"/{route}"
        if "logentry" in kept:
            kept["logentry"] = {"message": sentence(hint)}
        for exception in kept.get("exception", {}).get("values", ()):
            exception["value"] = harmless(str(exception.get("value") or ""))
        return kept  # type: ignore[no-any-return]


def is_expected(event: "Event", hint: "Hint") -> bool:
    from topics import Refused
    from topics.delivery.services import Denied

    error = hint["exc_info"][1] if hint.get("exc_info") else None
    if str(event.get("logger", "")).startswith(OF_STRANGERS):
        return True
    return isinstance(error, ConnectionError | Refused | Denied) or type(error).__name__ in EXPECTED


def fingerprint(event: "Event", hint: "Hint") -> list[str]:
    exceptions: list[Any] = list(event.get("exception", {}).get("values", ()))
    if not exceptions:
        return [sentence(hint)]
    return [sentence(hint), exceptions[-1]["type"], *places(exceptions[-1])]


def sentence(hint: "Hint") -> str:
    """As it stands in the code. With what it was about it would be another one for each topic."""
    record = hint.get("log_record")
    if record is None:
        return ""
    return str(record.getMessage() if record.name == SAYS_WHAT else record.msg)


def places(exception: Any) -> list[str]:
    """The innermost function of the application's own, and the innermost of all, which may be an installed app's."""
    frames = (exception.get("stacktrace") or {}).get("frames") or []
    innermost = [frame for frame in frames if frame.get("in_app")][-1:] + frames[-1:]
    return list(dict.fromkeys(f"{frame.get('module')}.{frame.get('function')}" for frame in innermost))


def tags(role: str, times: int) -> dict[str, str]:
    ids = request_id.named()
    found = {"role": role, "request_id": ids[0] if ids else "", "trace_id": trace(), "more_times": str(times or "")}
    return {name: value for name, value in found.items() if value}


def trace() -> str:
    return "" if tracing.tracer is None else tracing.tracer.trace_id()


def harmless(text: str) -> str:
    """As the log has it: without the rows that Postgres repeats, without what opens a door, and not without end."""
    said = without_secrets(None, "", dict(without_values(None, "", {"event": text})))
    return str(said["event"])[:500]
