"""The same, with every logger saying all it can."""

from apps.settings import *  # noqa: F403
from apps.settings import LOGGING as QUIET

LOGGING = {
    **QUIET,
    "root": {**QUIET["root"], "level": "DEBUG"},
    "loggers": {name: {**logger, "level": "DEBUG"} for name, logger in QUIET["loggers"].items()},
}
