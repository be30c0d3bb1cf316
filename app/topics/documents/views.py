"""/docs/: both documents to be read, and as they are. For developers: only where DEBUG or SHOW_DOCS is on."""

from functools import cache
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from topics.documents import asyncapi, openapi, page


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    only_where_shown()
    return render(request, "topics/docs.html", {"chapters": chapters()})


@require_safe
def document(request: HttpRequest, name: str) -> HttpResponse:
    only_where_shown()
    return JsonResponse(documents()[name], json_dumps_params={"ensure_ascii": False, "indent": 2})


def only_where_shown() -> None:
    if not (settings.DEBUG or getattr(settings, "SHOW_DOCS", False)):
        raise Http404


@cache
def chapters() -> list[page.Chapter]:
    return page.chapters()


@cache
def documents() -> dict[str, dict[str, Any]]:
    return {"asyncapi": asyncapi.document(), "openapi": openapi.document()}
