"""What a process says: one line an event, as JSON for machines or as text for people.

Neither query strings nor bodies: what libraries say of single requests and connections is left out. Nor is a line
ever longer than a reader needs: what strangers can cause must not push everything else out of the log.
"""

import logging
import re
from typing import Any

import structlog

QUIET = ("asyncio", "daphne", "channels_redis", "redis", "twisted", "websockets", "urllib3", "sentry_sdk")
FOR_EACH_BAD_REQUEST = "Invalid request from"  # how gunicorn's warnings begin that a stranger writes
MOST = 2_000  # characters of a message or any other value,
MOST_OF_A_TRACEBACK = 8_000  # and of a traceback with all its causes


def logging_for(kind: str) -> dict[str, Any]:
    """The dictionary for logging.config; kind is json or console."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": structlog.stdlib.ProcessorFormatter, **formatter(kind)}},
        "filters": {"strangers": {"()": lambda: not_for_each_bad_request}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "line"},
            "nobody": {"class": "logging.NullHandler"},
        },
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            **{name: {"level": "WARNING"} for name in QUIET},
            "uvicorn": {"level": "ERROR"},  # below that, what strangers send to the port
            "django": {"level": "INFO", "handlers": [], "propagate": True},
            "django.request": {"level": "ERROR"},  # below that, what visitors did wrong
            "django.security.DisallowedHost": {"handlers": ["nobody"], "propagate": False},  # scanners
            "django.security": {"level": "CRITICAL"},  # the same: forms without a token, too many fields
            "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True, "filters": ["strangers"]},
            "gunicorn.http": {"level": "ERROR"},  # a warning for each HEAD
            "gunicorn.access": {"handlers": ["nobody"], "propagate": False},  # nginx has the access log
        },
    }


def formatter(kind: str) -> dict[str, Any]:
    about = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_query,
    ]
    return {
        "foreign_pre_chain": about,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            # Plain text: structured tracebacks would hold the values of variables, and so bodies.
            structlog.processors.format_exc_info,
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
