#!/usr/bin/env python
"""Django's command line."""

import os
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError, connection

from realtime.reach import unreachable

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if role := {"runserver": "asgi", "migrate": "migrate"}.get("".join(sys.argv[1:2])):
        os.environ["ROLE"] = role
    try:
        _ = settings.SECRET_KEY  # here, so that a broken variable is one sentence for every command
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        variable = getattr(error, "variable", "")
        if connection.connection is not None and not variable:  # it was reached, and the trouble is another
            raise
        sys.exit(unreachable(error, variable))
