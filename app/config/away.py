"""The answer to a page that failed: 503 and a line a minute while the database is away or full, else 500.

A traceback for each page would fill the log just while somebody looks in it for the reason.
"""

import logging
import sys

from django.http import HttpRequest, HttpResponse

from realtime.outage import kind
from realtime.reach import CHARACTERS
from realtime.seldom import Seldom, again
from rooms import errors
from topics.storing import faults

logger = logging.getLogger(__name__)

seldom = Seldom()


def failed(request: HttpRequest) -> HttpResponse:
    """Called by Django while the exception is being handled."""
    error = sys.exc_info()[1]
    if not (isinstance(error, Exception) and faults.is_away(error)):
        return errors.broken(request)
    if (times := seldom.due(kind(error.__cause__ or error))) is not None:
        reason = " ".join(str(error).split())[:CHARACTERS]
        logger.warning("pages are refused, as the database fails: %s%s", reason, again(times))
    response = errors.away(request)
    response._has_been_logged = True  # type: ignore[attr-defined]  # by Django, with the traceback
    return response
