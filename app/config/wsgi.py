"""The WSGI role: pages and static files, under gunicorn."""

import os

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from config import counted, static
from realtime import intake, layers, proxy, request_id

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

if not layers.reaches_others():
    raise ImproperlyConfigured(
        "REDIS_URL is empty: what gunicorn publishes reaches the sockets of other processes by Redis, or by Postgres. "
        "Set REDIS_URL, or a Postgres as DATABASE_URL, or serve all from one process by `python -m realtime.serve`."
    )

pages = intake.over_wsgi(proxy.over_wsgi(static.over_wsgi(get_wsgi_application()), settings.PROXY_HOPS))
application = counted.over_wsgi(request_id.over_wsgi(pages, settings.PROXY_HOPS))
