"""Static files: hashed and compressed when the image is built, served from memory's index at run time.

While DEBUG is on, the files are found where they are written, so that an edit shows at the next reload.
"""

from typing import Any

from django.conf import settings
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from servestatic import ServeStatic, ServeStaticASGI
from servestatic.storage import CompressedManifestStaticFilesStorage


class Storage(CompressedManifestStaticFilesStorage):
    """Names carry a hash of the content, also those in the modules' own import lines."""

    support_js_module_import_aggregation = True


def over_asgi(application: Any) -> Any:
    if settings.DEBUG:
        return ASGIStaticFilesHandler(application)
    return ServeStaticASGI(application, root=settings.STATIC_ROOT, prefix="static")


def over_wsgi(application: Any) -> Any:
    return ServeStatic(application, root=settings.STATIC_ROOT, prefix="static")
