"""What a process says: one line an event, as JSON for machines or as text for people.

Neither query strings nor bodies: what libraries say of single requests and connections is left out. What strangers, or
a service that is away, could have said without end is said once a minute, and no line is longer than a reader needs.
"""

import logging
import re
from typing import Any

import structlog

from realtime import request_id, tracing
from realtime.outage import kind
from realtime.seldom import Seldom, again

BEHIND_THE_FIRST_LINE = (
    r"\n(?:LINE \d+|DETAIL|HINT|QUERY|CONTEXT): .*?(?=\n\n(?:The above exception|During handling)|\Z)"
)
QUIET = ("asyncio", "daphne", "channels_redis", "redis", "twisted", "websockets", "urllib3", "sentry_sdk")
# Tokens and tickets (topics.tokens.tokens), and whatever comes as `Bearer …` or as the subprotocol `bearer.…`.
SECRET = re.compile(r"(\bbearer[ .]+)[\w.~+/=-]+|\b(?:topics|ticket)_[\w-]{32,}", re.IGNORECASE)
FOR_EACH_BAD_REQUEST = "Invalid request from"  # how gunicorn's warnings begin that a stranger writes
MOST = 2_000  # characters of a message or any other value,
MOST_OF_A_TRACEBACK = 8_000  # and of a traceback with all its causes
RETRYING = ("channels_redis.pubsub", "psycopg.pool")  # once a second each, while nobody answers


def logging_for(kind: str) -> dict[str, Any]:
    """The dictionary for logging.config; kind is json or console."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": structlog.stdlib.ProcessorFormatter, **formatter(kind)}},
        "filters": {
            "strangers": {"()": lambda: not_for_each_bad_request},
            "once a minute": {"()": OnceAMinute},
        },
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["once a minute"]},
            "nobody": {"class": "logging.NullHandler"},
        },
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            **{name: {"level": "WARNING"} for name in QUIET},
            "uvicorn": {"level": "ERROR"},  # below that, what strangers send to the port
            "opentelemetry.exporter": {"level": "CRITICAL"},  # config.tracing.collector says it once a minute
            "axes": {"level": "ERROR"},  # below that, a line for each password that somebody tries
            "django": {"level": "INFO", "handlers": [], "propagate": True},
            "django.request": {"level": "ERROR"},  # below that, what visitors did wrong
            "django.security": {"level": "CRITICAL"},  # the same: too many fields, too large a body
            "django.security.DisallowedHost": {"level": "ERROR"},  # these two once a minute, with what to do
            "django.security.csrf": {"level": "WARNING"},
            "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True, "filters": ["strangers"]},
            "gunicorn.http": {"level": "ERROR"},  # a warning for each HEAD
            "gunicorn.access": {"handlers": ["nobody"], "propagate": False},  # nginx has the access log
        },
    }


class OnceAMinute(logging.Filter):
    """For the loggers in ABOUT: the same line, whatever request it is about, is said once a minute.

    An error is named without its words and its traceback. It belongs to a handler: a logger would collect one with each
    configuration, and gunicorn makes two.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seldom = Seldom()

    def filter(self, record: logging.LogRecord) -> bool:
        about = ABOUT.get(record.name)
        if about is None:
            return True
        subject, sentence = about(record)
        times = self.seldom.due(subject)
        if times is None:
            return False
        record.msg, record.args = sentence + again(times), ()
        record.exc_info = record.exc_text = None
        return True


def unknown_host(record: logging.LogRecord) -> tuple[str, str]:
    """What must not be said again for a minute, and the line: a setting to mend, or a scanner."""
    said = record.getMessage()
    if found := re.search(r"need to add '([^']{1,100})", said):
        advice = "is not in ALLOWED_HOSTS; add it there if it is a name of this site"
        return found[1], f"a page was refused: {found[1]!r} {advice}"
    return said[:100], f"a page was refused: {said[:100]!r} is no host name, and no setting admits it"


def foreign_form(record: logging.LogRecord) -> tuple[str, str]:
    """Django names the origin, if that was the reason, and not the variable."""
    subject, said = same_line(record)
    hint = "; add that origin to ALLOWED_ORIGINS if its pages may send forms here" if "Origin check" in said else ""
    return subject, said + hint


def same_line(record: logging.LogRecord) -> tuple[str, str]:
    first = record.args[0] if isinstance(record.args, tuple) and record.args else ""
    error = record.exc_info[1] if record.exc_info else None
    said = record.getMessage() + (f": {kind(error)}" if error else "")
    return f"{record.name} {record.msg} {first}", said


ABOUT = {
    "django.security.DisallowedHost": unknown_host,
    "django.security.csrf": foreign_form,
    **dict.fromkeys((*RETRYING, "opentelemetry.sdk._shared_internal"), same_line),  # the latter: its queue is full
}


def formatter(kind: str) -> dict[str, Any]:
    about = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        with_id,
        without_query,
    ]
    return {
        "foreign_pre_chain": about,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            # Plain text: structured tracebacks would hold the values of variables, and so bodies.
            structlog.processors.format_exc_info,
            without_values,
            without_secrets,
            bounded,
            *render(kind),
        ],
    }


def render(kind: str) -> list[Any]:
    if kind == "console":
        return [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
    return [
        structlog.processors.EventRenamer("message"),
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]


def with_id(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Of the request or the socket that it is about, as nginx has it; `ids` where several are concerned. And of the
    trace, where there is one.
    """
    ids = request_id.named()
    if len(ids) > 1:
        event["ids"] = ids
    elif ids:
        event["id"] = ids[0]
    if tracing.tracer is not None and (trace := tracing.tracer.trace_id()):
        event["trace_id"] = trace
    return event


def without_values(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Behind its first line, an error of Postgres repeats the row or the statement, and with it what people said."""
    for field in event.keys() & {"event", "exception"}:
        event[field] = re.sub(BEHIND_THE_FIRST_LINE, "", str(event[field]), flags=re.DOTALL)
    return event


def without_secrets(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """What opens a door is written nowhere: some libraries, set to say all they can, show the headers of requests."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = SECRET.sub(lambda found: f"{found[1] or ''}(secret)", value)
    return event


def without_query(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Some libraries name the whole address where an error occurred."""
    event["event"] = re.sub(r"(/[^\s?]*)\?\S+", r"\1", str(event["event"]))
    return event


def bounded(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """A chain of exceptions tells its first cause at the beginning and what became of it at the end: both stay."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = shortened(value, MOST_OF_A_TRACEBACK if name == "exception" else MOST)
    return event


def shortened(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return f"{text[: most // 4]}… ({len(text) - most} characters left out) …{text[-(most - most // 4) :]}"


def not_for_each_bad_request(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(FOR_EACH_BAD_REQUEST)
