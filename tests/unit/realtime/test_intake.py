"""What a request may carry: alice's browser sends what browsers send, mallory whatever she likes."""

from io import BytesIO
from typing import Any

import pytest
from django.http import parse_cookie

from realtime import intake
from realtime.limits import MAX_BODY_BYTES

ALICE = "sessionid=abcdefghijklmnop; csrftoken=ABCdef123; guest=WyJhIiwiYiJd:1abc:x-_y; theme=dark"


def asked(**environ: Any) -> tuple[str, bytes, dict[str, Any]]:
    """Status and body of the answer, and what the application was asked; it answers with the body it got."""
    seen: dict[str, Any] = {}
    status: list[str] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.update(environ)
        start_response("200 OK", [])
        return [environ["wsgi.input"].read()]

    given = {"wsgi.input": BytesIO(b""), **environ}
    body = intake.over_wsgi(application)(given, lambda line, headers: status.append(line))
    return status[0], b"".join(body), seen


async def asked_of_asgi(kind: str, *headers: tuple[bytes, bytes], query: bytes = b"") -> tuple[list[Any], list[Any]]:
    """What was answered, and the headers that the application was asked with."""
    sent: list[Any] = []
    seen: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.extend(scope["headers"])

    async def send(event: Any) -> None:
        sent.append(event)

    await intake.over_asgi(application)({"type": kind, "query_string": query, "headers": list(headers)}, None, send)
    return sent, seen


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded; charset=UTF-8", 'a/b; charset="utf-8"', "a/b; x=é"]
)
async def test_utf_8_comes_in(kind: str) -> None:
    assert asked(CONTENT_TYPE=kind)[0] == "200 OK"
    sent, seen = await asked_of_asgi("http", (b"content-type", kind.encode("latin-1")))
    assert sent == []
    assert seen


@pytest.mark.parametrize(
    "kind",
    [
        *("a/b; charset=utf-16", "a/b; charset=latin-1", "a/b; charset=rot13", "a/b; charset=no-such", "a/b; charset="),
        *("a/b; charset*=no-such''utf-8", "a/b; x*=no-such''y", "a/b; charset*=utf-8''a%00", "a/b; Charset=UTF-7"),
    ],
)
async def test_everything_else_is_refused_in_words_before_django_sees_it(kind: str) -> None:
    status, body, seen = asked(CONTENT_TYPE=kind)
    assert (status, seen) == ("415 Unsupported Media Type", {})
    assert b"UTF-8" in body
    sent, headers = await asked_of_asgi("http", (b"content-type", kind.encode("latin-1")))
    assert headers == []
    assert [event.get("status", event.get("body")) for event in sent] == [415, body]


async def test_a_query_with_nul_is_refused_and_that_of_a_socket_is_its_own_business() -> None:
    assert asked(QUERY_STRING="q=a%00b")[0] == "400 Bad Request"
    assert asked(QUERY_STRING="q=100%&p=%e0%00b")[0] == "400 Bad Request"
    assert asked(QUERY_STRING="q=100%25")[0] == "200 OK"
    assert (await asked_of_asgi("http", query=b"q=%00"))[0][0]["status"] == 400
    assert (await asked_of_asgi("websocket", query=b"since=%00"))[0] == []
    assert (await asked_of_asgi("http", (b"a", b"b"), query=b"q=1"))[1] == [(b"a", b"b")]


async def test_a_kind_that_comes_in_two_parts_is_read_as_django_reads_it() -> None:
    sent, _ = await asked_of_asgi("http", (b"content-type", b"a/b"), (b"content-type", b"c; charset=utf-16"))
    assert sent[0]["status"] == 415


@pytest.mark.parametrize(
    "cookie",
    [
        *(r'sessionid="a\000b"', r'sessionid="\303\251"', "sessionid=é", "sessionid=a\x00b", "sessionid=\x80"),
        *(r'csrftoken="\000"', r'guest="\001"', r'messages="\177"', "other=\udc80", r'"\000"'),
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_a_cookie_that_no_database_holds_counts_as_absent(kind: str, cookie: str) -> None:
    for header in (f"{ALICE}; {cookie}", f"{cookie};{ALICE}", f"theme=dark; {cookie}; {ALICE}"):
        _, _, seen = asked(HTTP_COOKIE=header)
        assert parse_cookie(seen["HTTP_COOKIE"]) == parse_cookie(ALICE)
        if "\udc80" not in header:
            raw = (b"cookie", header.encode("latin-1"))
            _, headers = await asked_of_asgi(kind, (b"host", b"a"), raw, (b"cookie", b"c=d"))
            assert [name for name, _ in headers] == [b"host", b"cookie", b"cookie"]
            assert parse_cookie(headers[1][1].decode()) == parse_cookie(ALICE)


async def test_alices_cookies_come_in_as_she_sent_them() -> None:
    assert asked(HTTP_COOKIE=ALICE)[2]["HTTP_COOKIE"] == ALICE
    assert (await asked_of_asgi("http", (b"cookie", ALICE.encode())))[1] == [(b"cookie", ALICE.encode())]
    assert "HTTP_COOKIE" not in asked()[2]


@pytest.mark.parametrize("size", [0, 1, MAX_BODY_BYTES])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_is_there_to_its_end_whether_it_is_read_or_not(size: int, chunked: bool) -> None:
    stream = BytesIO(b"x" * size)
    told = {"wsgi.input_terminated": True} if chunked else {"CONTENT_LENGTH": str(size)}
    status, body, seen = asked(**{"wsgi.input": stream, **told})
    assert (status, len(body), seen["CONTENT_LENGTH"]) == ("200 OK", size, str(size))
    assert stream.read() == b""


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_beyond_the_limit_is_refused(chunked: bool) -> None:
    told = {"wsgi.input_terminated": True} if chunked else {"CONTENT_LENGTH": str(MAX_BODY_BYTES + 1)}
    status, _, seen = asked(**{"wsgi.input": BytesIO(b"x" * (MAX_BODY_BYTES + 1)), **told})
    assert (status.split()[0], seen) == ("413", {})  # the words differ between versions of Python


def test_a_body_that_broke_off_is_not_taken_for_a_shorter_one() -> None:
    status, _, seen = asked(**{"wsgi.input": BytesIO(b"body=hel"), "CONTENT_LENGTH": "10"})
    assert (status, seen) == ("400 Bad Request", {})


@pytest.mark.parametrize("length", ["", "abc", "-1", "²", "1_0"])
def test_a_length_that_is_none_means_no_body(length: str) -> None:
    assert asked(**{"wsgi.input": BytesIO(b"abc"), "CONTENT_LENGTH": length})[:2] == ("200 OK", b"")
