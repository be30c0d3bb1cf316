"""Files in a room: sent in pieces as tus has it, or by a form, and given to whoever may read the room."""

import base64
import binascii
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from asgiref.sync import async_to_sync
from django.core.files.storage import default_storage
from django.core.handlers.asgi import ASGIRequest
from django.db import DataError
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.views.decorators.http import require_http_methods

from files import keeping, taking
from files.errors import NotTaken
from files.models import File
from files.names import UNKNOWN
from rooms import errors
from rooms.topics import RoomTopic
from topics import Person, Refused, person_of, remember_guest

View = Callable[..., HttpResponseBase]
TUS: Final = "1.0.0"
# Whatever a browser finds in it: no script, no form, no frame, and nothing from anywhere.
SANDBOX: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
KEPT_SECONDS: Final = 3_600  # by the reader's browser alone


def door(*methods: str, act: str = "read") -> Callable[[View], View]:
    """`view(request, person, topic, …)`: not found for who may not do that in the room, as where there is none."""

    def decorated(view: View) -> View:
        @require_http_methods(list(methods))
        @wraps(view)
        def wrapper(request: HttpRequest, name: str, *args: Any, **named: Any) -> HttpResponseBase:
            person, topic = person_of(request), RoomTopic(room=name)
            doing = "write" if request.method in {"POST", "PATCH", "DELETE"} else act
            try:
                if not async_to_sync(topic.may)(person, doing):
                    return errors.not_found(request)
                answer = view(request, person, topic, *args, **named)
            except DataError:
                return errors.not_found(request)
            except NotTaken as refusal:
                answer = refused(refusal)
            except Refused as why:  # of who keeps order
                answer = JsonResponse({"detail": str(why), "code": why.code}, status=HTTPStatus.FORBIDDEN)
            answer.setdefault("Cache-Control", "no-store")
            return answer

        return wrapper

    return decorated


@door("POST")
def begin(request: HttpRequest, person: Person, topic: RoomTopic) -> HttpResponse:
    keeping.sweep_sometimes()
    told = metadata(request.headers.get("Upload-Metadata", ""))
    length = whole(request.headers.get("Upload-Length"))
    if length is None:
        raise NotTaken("Upload-Length says how many bytes there are.", 400)
    file = taking.begin(topic.name, person, told.get("filename", ""), told.get("filetype", ""), length)
    answer = JsonResponse({"id": file.pk, "piece": taking.PIECE}, status=HTTPStatus.CREATED)
    answer["Location"] = resolve_url("attachment", topic.room, file.pk)
    remember_guest(answer, person)
    return where(answer, file)


@door("GET", "HEAD", "PATCH", "DELETE")
def attachment(request: HttpRequest, person: Person, topic: RoomTopic, key: str) -> HttpResponseBase:
    if request.method == "PATCH":
        return go_on(request, taking.own(topic.name, key, person))
    if request.method == "DELETE":
        keeping.remove(topic.name, [taking.own(topic.name, key, person).pk])
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    if request.method == "HEAD" and "Tus-Resumable" in request.headers:
        return where(HttpResponse(), taking.own(topic.name, key, person))
    return given(request, topic, key, preview=False)


@door("GET", "HEAD")
def preview(request: HttpRequest, person: Person, topic: RoomTopic, key: str) -> HttpResponseBase:
    return given(request, topic, key, preview=True)


def go_on(request: HttpRequest, file: File) -> HttpResponse:
    offset = whole(request.headers.get("Upload-Offset"))
    if offset is None or (request.body and request.content_type != "application/offset+octet-stream"):
        raise NotTaken("A piece says its Upload-Offset, and is application/offset+octet-stream.", 400)
    file = taking.add(file, offset, request.body)
    return where(JsonResponse(file.as_data if file.stored else {}), file)


def where(answer: HttpResponse, file: File) -> HttpResponse:
    """How much of it is here."""
    answer["Tus-Resumable"], answer["Upload-Offset"], answer["Upload-Length"] = TUS, file.received, file.length
    return answer


def refused(refusal: NotTaken) -> HttpResponse:
    answer = JsonResponse({"detail": str(refusal)}, status=refusal.status)
    if refusal.offset is not None:
        answer["Upload-Offset"] = refusal.offset
    if refusal.again:
        answer["Retry-After"] = 2
    return answer


def given(request: HttpRequest, topic: RoomTopic, key: str, *, preview: bool) -> HttpResponseBase:
    file = keeping.readable(topic.name, key)
    name = file and (file.preview if preview else file.stored)
    if not file or not name:
        return errors.not_found(request)
    shown = preview or file.inline
    made = "image/png" if name.endswith(".png") else "image/jpeg"
    kind = made if preview else file.type if shown else UNKNOWN
    try:
        content = default_storage.open(name)
        answer: HttpResponse | FileResponse
        if isinstance(request, ASGIRequest):  # by which Django would read it as a whole, too, and warn of it
            with content:
                answer = HttpResponse(content.read(), content_type=kind)
        else:
            answer = FileResponse(content, content_type=kind)
    except Exception:  # of whatever kind the storage's are
        return errors.away(request)
    named = f"filename*=UTF-8''{quote(file.name, safe='')}"
    answer["Content-Disposition"] = f"{'inline' if shown else 'attachment'}; {named}"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = SANDBOX
    answer["Cross-Origin-Resource-Policy"] = "same-origin"
    answer["Cache-Control"] = f"private, max-age={KEPT_SECONDS}"
    return answer


def metadata(header: str) -> dict[str, str]:
    """Names, each with a value in base64."""
    found = {}
    for pair in header.split(","):
        name, _, value = pair.strip().partition(" ")
        try:
            found[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, ValueError):
            raise NotTaken("Upload-Metadata has names, each with its value in base64.", 400) from None
    return found


def whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else None
