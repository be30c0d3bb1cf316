"""What a request may carry, checked at one door for pages and sockets, under both servers.

Django looks at the content type and the cookies before any middleware of its own runs: what it raises there leaves it
altogether, and a NUL in a cookie gets as far as the database. Under WSGI a body that nobody reads makes gunicorn close
the connection after an answer that said keep-alive, and the next request on it, somebody else's, fails: so every body
is read here, or refused.
"""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from io import BytesIO
from typing import Any

from asgiref.sync import markcoroutinefunction
from django.http import parse_cookie
from django.utils.http import parse_header_parameters

from realtime.limits import MAX_BODY_BYTES

WSGI = Callable[..., Iterable[bytes]]
SENTENCES = {
    HTTPStatus.BAD_REQUEST: "The request is incomplete, or has a NUL in its query.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: f"A request has at most {MAX_BODY_BYTES} bytes.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "What is sent here is UTF-8.",
}


def over_asgi(application: Any) -> Any:
    @markcoroutinefunction
    def checked(scope: dict[str, Any], receive: Any, send: Any) -> Any:
        if scope["type"] == "http" and (fault := fault_of(header(scope, b"content-type"), query_of(scope))):
            return refuse(send, fault)
        if any(name == b"cookie" and not is_plain(value.decode("latin-1")) for name, value in scope["headers"]):
            scope = scope | {"headers": [with_plain_cookies(*pair) for pair in scope["headers"]]}
        return application(scope, receive, send)

    return checked


def over_wsgi(application: WSGI) -> WSGI:
    def checked(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = body_of(environ)
        if isinstance(body, HTTPStatus):
            return refuse_wsgi(start_response, body)
        if fault := fault_of(environ.get("CONTENT_TYPE", ""), environ.get("QUERY_STRING", "")):
            return refuse_wsgi(start_response, fault)
        if "HTTP_COOKIE" in environ:
            environ["HTTP_COOKIE"] = plain_cookies(environ["HTTP_COOKIE"])
        environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return application(environ, start_response)

    return checked


# --- What it is checked for ----------------------------------------------------------------------


def fault_of(content_type: str, query: str) -> HTTPStatus | None:
    """Why a request is refused by its head. Postgres stores no NUL, and what is searched for goes there as it comes."""
    if "%00" in query:
        return HTTPStatus.BAD_REQUEST
    return None if is_utf_8(content_type) else HTTPStatus.UNSUPPORTED_MEDIA_TYPE


def is_utf_8(content_type: str) -> bool:
    """Whether Django can read the header, and finds no charset in it but UTF-8, which browsers do not even name."""
    if ";" not in content_type:
        return True
    try:
        _, parameters = parse_header_parameters(content_type)
    except Exception:  # of several kinds, for parameters in charsets of their own
        return False
    return parameters.get("charset", "utf-8").lower() == "utf-8"


def is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and "\\" not in text


def plain_cookies(header: str) -> str:
    """Without those whose value, its quoted octal numbers read, has characters that no cookie of this site has."""
    if is_plain(header):
        return header
    return ";".join(cookie for cookie in header.split(";") if all(map(is_plain, parse_cookie(cookie).values())))


def with_plain_cookies(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    return name, plain_cookies(value.decode("latin-1")).encode("latin-1") if name == b"cookie" else value


def header(scope: dict[str, Any], wanted: bytes) -> str:
    """As Django has it, which joins what came several times."""
    return ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == wanted)


def query_of(scope: dict[str, Any]) -> str:
    query: bytes = scope["query_string"]
    return query.decode("latin-1")


def body_of(environ: dict[str, Any]) -> bytes | HTTPStatus:
    """The whole body, or why it is refused. One in chunks has no length before it has come."""
    text = environ.get("CONTENT_LENGTH") or "0"
    length = int(text) if text.isascii() and text.isdigit() else 0
    if length > MAX_BODY_BYTES:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    body: bytes = environ["wsgi.input"].read(MAX_BODY_BYTES + 1 if environ.get("wsgi.input_terminated") else length)
    if len(body) > MAX_BODY_BYTES:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return body if len(body) >= length else HTTPStatus.BAD_REQUEST


# --- The answers ---------------------------------------------------------------------------------


async def refuse(send: Any, status: HTTPStatus) -> None:
    body = f"{SENTENCES[status]}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status.value, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def refuse_wsgi(start_response: Any, status: HTTPStatus) -> Iterable[bytes]:
    body = f"{SENTENCES[status]}\n".encode()
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    start_response(f"{status.value} {status.phrase}", headers)
    return [body]
