"""What a process says: one line an event, as JSON for machines or as text for people.

Neither query strings nor bodies: what libraries say of single requests and connections is left out.
"""

import re
from typing import Any

import structlog

QUIET = ("asyncio", "daphne", "channels_redis", "redis", "twisted", "websockets", "urllib3", "sentry_sdk")


def logging_for(kind: str) -> dict[str, Any]:
    """The dictionary for logging.config; kind is json or console."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": structlog.stdlib.ProcessorFormatter, **formatter(kind)}},
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
            "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
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
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render(kind)],
    }


def render(kind: str) -> list[Any]:
    """Tracebacks are plain text: structured ones would hold the values of variables, and so bodies."""
    if kind == "console":
        plain = structlog.dev.plain_traceback
        return [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=plain)]
    return [
        structlog.processors.format_exc_info,
        structlog.processors.EventRenamer("message"),
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]


def without_query(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Some libraries name the whole address where an error occurred."""
    event["event"] = re.sub(r"(/[^\s?]*)\?\S+", r"\1", str(event["event"]))
    return event
