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


class AsWritten(ASGIStaticFilesHandler):
    async def get_response_async(self, request: Any) -> Any:
        response = await super().get_response_async(request)
        forbid_to_guess(response.headers)
        return response


def over_asgi(application: Any) -> Any:
    if settings.DEBUG:
        return AsWritten(application)
    return ServeStaticASGI(application, **options())


def over_wsgi(application: Any) -> Any:
    return ServeStatic(application, **options())


def options() -> dict[str, Any]:
    return {"root": settings.STATIC_ROOT, "prefix": "static", "add_headers_function": forbid_to_guess}


def forbid_to_guess(headers: Any, *_: Any) -> None:
    """What Django's SecurityMiddleware does for pages: browsers take a file for what it is served as."""
    headers["X-Content-Type-Options"] = "nosniff"
