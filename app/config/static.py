"""Static files: hashed and compressed when the image is built, served from memory's index at run time.

While DEBUG is on, the files are found where they are written, and browsers keep none, so that an edit shows at the next
request.
"""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.files.base import ContentFile
from servestatic import ServeStatic, ServeStaticASGI
from servestatic.storage import CompressedManifestStaticFilesStorage

OURS = ("rooms/", "topics/")


class Storage(CompressedManifestStaticFilesStorage):
    """Names carry a hash of the content, also those in the modules' own import lines.

    Under those names our modules go without the comments that are two thirds of them, and with short names inside.
    """

    support_js_module_import_aggregation = True

    def post_process(self, paths: dict[str, tuple[Any, str]], **options: Any) -> Iterator[Any]:
        bare = {
            name: (Bare(storage), path) if name.startswith(OURS) and name.endswith(".js") else (storage, path)
            for name, (storage, path) in paths.items()
        }
        return super().post_process(bare, **options)  # type: ignore[no-any-return]


class Bare:
    """A storage of modules, read as short as they can be said."""

    def __init__(self, storage: Any) -> None:
        self._storage = storage

    def open(self, path: str) -> "ContentFile[bytes]":
        import minify  # megabytes of code that no server has a use for

        with self._storage.open(path) as module:
            return ContentFile(minify.string("application/javascript", module.read().decode()).encode())


class AsWritten(ASGIStaticFilesHandler):
    async def get_response_async(self, request: Any) -> Any:
        response = await super().get_response_async(request)
        forbid_to_guess(response.headers)
        response.headers["Cache-Control"] = "no-store"
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
