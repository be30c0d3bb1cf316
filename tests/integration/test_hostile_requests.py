"""Whatever mallory writes into a request, the answer is hers: no error of the server's, and no log that she fills."""

import http.client
import socket

import pytest

from client import enter, new_id, new_room
from servers.app import Server
from servers.stack import Stack
from visitor import Visitor, room_page

SECONDS = 30
TOKEN = "csrftoken=" + "a" * 32
FORM = "application/x-www-form-urlencoded"
HERE = "127.0.0.1"
# It is the same in both stacks.
GUNICORN = pytest.mark.parametrize("stack", ["daphne"], indirect=True, scope="session")
SAID_ONCE_A_MINUTE = ("django.security.DisallowedHost", "django.security.csrf")


def request(method: str, target: str, *headers: str, body: bytes = b"", host: str = HERE) -> bytes:
    """A request as it stands on the wire; one character of a header is one byte."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close", *headers]
    if body and not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def form(body: bytes, kind: str = FORM, target: str = "/room/lobby/", cookie: str = TOKEN) -> bytes:
    return request("POST", target, f"Content-Type: {kind}", f"Cookie: {cookie}", body=body)


def part(headers: str, kind: str = "multipart/form-data; boundary=x") -> bytes:
    return form(f"--x\r\n{headers}\r\n\r\nhello\r\n--x--\r\n".encode("latin-1"), kind)


CHARSETS = [
    *("utf-16", "utf-7", "latin-1", "ascii", "rot13", "base64", "idna", "unicode_escape", "undefined", "no-such", "é"),
    *('"', '"utf-16"', "", "utf-16; charset=utf-8", "utf-8; charset=utf-16"),
]
PATHS = [
    *("/%00", "/room/%00/", "/room/a%00b/", "/name/%00", "/admin/%00", "/static/%00", "/static/..%2f..%2fetc/passwd"),
    *("/room/%ed%a0%80/", "/%ff%fe/", "/room/%ff/", "//", "//[", "/?next=//[", "/?%00=%00", "/name/?next=%00"),
    *(
        "/name/?next=http://[",
        "/accounts/login/?next=%00",
        "/accounts/login/?next=http://[",
        "/admin/login/?next=%0d%0a",
    ),
    *("/admin/rooms/room/?q=%00", "/admin/rooms/room/%00/change/", "/" + "a" * 3000, "/?" + "&" * 3000, "/room//"),
    *("/?" + "a=&" * 1500, "/health/ready?%00", "/room/lobby", "/%2e%2e/%2e%2e/", "/accounts/logout/", "*", "/a\\b"),
]
COOKIES = [
    *(r'sessionid="a\000b0123456789012345678901234567"', "sessionid=\xff\xfe0123456789", "sessionid=" + "x" * 5000),
    *(r'sessionid="\303\251\000"', r'csrftoken="\000"', r'guest="\000:\000:\000"', r'messages="\000"', "messages=x"),
    *("sessionid", "=", ";;;", "sessionid=\x80", 'sessionid="', r'sessionid="\777"', "guest=" + "a:" * 1000, "é=é"),
    *(
        "messages=" + "[" * 3000,
        r'sessionid="\200\201\202\203\204\205\206\207"',
        "guest=\udc80".encode("utf-8", "ignore").decode(),
    ),
]
ODD = [
    *("q=%00", "q=a%00b", "q=%ed%a0%80", "guest__exact=%00", "guest__exact=x", "author=%00", "room__name=%00"),
    *("o=%00", "p=%00", "e=1", "_changelist_filters=%00", "id__in=%00", "id=99999999999999999999", "_popup=%00"),
    *("_to_field=%00", "all=%00", "room__id__exact=%00", "changed_at__gte=%00", "is_staff__exact=%00"),
    *("groups__id__exact=%00", "last_login__isnull=%00"),
]
METHODS = ["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "BREW"]
VIEWS = ["/", "/name/", "/room/lobby/", "/accounts/login/", "/accounts/logout/", "/admin/", "/admin/login/", "/nowhere"]

REQUESTS: dict[str, bytes] = {
    **{f"charset {name}": form(b"body=hello", f"{FORM}; charset={name}") for name in CHARSETS},
    **{
        f"parts in {name}": part(
            'Content-Disposition: form-data; name="body"', f"multipart/form-data; boundary=x; charset={name}"
        )
        for name in CHARSETS
    },
    **{
        f"GET in {name}": request("GET", "/?next=%00", f"Content-Type: text/plain; charset={name}") for name in CHARSETS
    },
    **{f"{method} {view}": request(method, view, f"Cookie: {TOKEN}") for method in METHODS for view in VIEWS},
    **{f"path {number} {path[:30]}": request("GET", path) for number, path in enumerate(PATHS)},
    **{f"form for {number} {path[:30]}": form(b"", target=path) for number, path in enumerate(PATHS)},
    **{
        f"cookie {number} {cookie[:30]!r}": request("GET", "/room/lobby/", f"Cookie: {cookie}")
        for number, cookie in enumerate(COOKIES)
    },
    **{
        f"form with cookie {number} {cookie[:30]!r}": form(b"body=hello", cookie=f"{cookie}; {TOKEN}")
        for number, cookie in enumerate(COOKIES)
    },
    **{
        f"log-in with cookie {number}": form(b"username=a&password=b", cookie=cookie, target="/admin/login/")
        for number, cookie in enumerate(COOKIES)
    },
    "charset in another charset": form(b"a=b", f"{FORM}; charset*=no-such''utf-8"),
    "a parameter in another charset": request("GET", "/", "Content-Type: text/plain; x*=no-such''y"),
    "a charset with NUL": form(b"a=b", f"{FORM}; charset*=utf-8''a%00b"),
    "a boundary in another charset": form(b"--x--", "multipart/form-data; boundary*=no-such''x"),
    "a boundary with NUL": form(b"--x--", "multipart/form-data; boundary*=utf-8''%00"),
    "no boundary": form(b"--x--", "multipart/form-data"),
    "an empty boundary": form(b"--x--", "multipart/form-data; boundary="),
    "a boundary that never ends": form(b"--x\r\n" * 1000, "multipart/form-data; boundary=x"),
    "a name in another charset": part("Content-Disposition: form-data; name*=no-such''body"),
    "a name in a charset that is none": part("Content-Disposition: form-data; name*=rot13''body"),
    "a name in base64": part("Content-Disposition: form-data; name*=base64''body"),
    "a name with NUL": part("Content-Disposition: form-data; name*=utf-8''a%00b"),
    "a file with NUL": part("Content-Disposition: form-data; name=body; filename*=utf-8''%00"),
    "a file in another charset": part("Content-Disposition: form-data; name=body; filename*=rot13''%00"),
    "a part that is no base64": part(
        'Content-Disposition: form-data; name="body"\r\nContent-Transfer-Encoding: base64'
    ),
    "a part of a kind that is none": part(
        'Content-Disposition: form-data; name="body"; filename="x"\r\nContent-Type: ;;;=*\'\''
    ),
    "a part without headers": form(b"--x\r\n\r\nhello\r\n--x--\r\n", "multipart/form-data; boundary=x"),
    "parts without end": form(
        b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n", "multipart/form-data; boundary=x"
    ),
    "many parts": form(
        b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n" * 1200 + b"--x--",
        "multipart/form-data; boundary=x",
    ),
    "many files": form(
        b"--x\r\nContent-Disposition: form-data; name=a; filename=b\r\n\r\n\r\n" * 200 + b"--x--",
        "multipart/form-data; boundary=x",
    ),
    "many fields": form(b"a=&" * 10_000),
    "many queries": request("GET", "/?" + "a&" * 2000),
    "NUL in fields": form(b"body=%00&id=%00&name=%00&next=%00&csrfmiddlewaretoken=%00"),
    "NUL as a byte": form(b"body=\0&\0=\0"),
    "surrogates in fields": form(b"body=%ed%a0%80&id=%ed%bf%bf&csrfmiddlewaretoken=%ed%a0%80"),
    "bytes in fields": form(bytes(range(256)) * 10),
    "a log-in with NUL": form(b"username=%00&password=%00", target="/accounts/login/"),
    "a token that is no text": form(b"csrfmiddlewaretoken=" + b"\xff" * 32),
    "an unknown form": form(b"{}", "application/json"),
    "a form of no kind": form(b"{}", ";;;"),
    "a form of a kind that is no ASCII": form(b"{}", "é; é=é"),
    "a body with GET": request("GET", "/", "Content-Type: text/plain", body=b"x" * 1000),
    "a large form": form(b"body=" + b"x" * 130_000),
    "a larger form": form(b"body=" + b"x" * 200_000),
    "a form in chunks": request(
        "POST", "/", f"Content-Type: {FORM}", "Transfer-Encoding: chunked", body=b"3\r\na=b\r\n0\r\n\r\n"
    ),
    "a length that lies": request("POST", "/", f"Content-Type: {FORM}", "Content-Length: 2", body=b"a=bcdef"),
    "a length of letters": request("POST", "/", "Content-Length: abc"),
    "a length below nothing": request("POST", "/", "Content-Length: -1"),
    "a length in other digits": request("POST", "/", "Content-Length: \xb2"),
    "another host": request("GET", "/", host="evil.example"),
    "a host that is none": request("GET", "/", host="[::1"),
    "a host with bytes": request("GET", "/", host="\xff\xfe"),
    "a form for another host": form(b"a=b").replace(f"Host: {HERE}".encode(), b"Host: evil.example"),
    "an origin that is none": request("POST", "/", f"Cookie: {TOKEN}", "Origin: http://[", body=b"a=b"),
    "an origin with bytes": request("POST", "/", f"Cookie: {TOKEN}", "Origin: \xff", body=b"a=b"),
    "a referer that is none": request("POST", "/", f"Cookie: {TOKEN}", "Referer: http://[::", body=b"a=b"),
    "bytes in headers": request(
        "GET", "/", "X-A: \xff\xfe\x80", "User-Agent: \xff", "Accept-Language: \xff", "X-CSRFToken: \xff"
    ),
    "dates that are none": request("GET", "/static/rooms/icon.svg", "If-Modified-Since: \xff", "Range: bytes=9-1"),
    "a forwarded address that is none": request("GET", "/", "X-Forwarded-For: \xff", "X-Forwarded-Proto: \xff"),
}


@pytest.mark.parametrize("name", REQUESTS)
@GUNICORN
def test_a_hostile_request_is_no_error_of_gunicorns(stack: Stack, name: str) -> None:
    is_no_error(stack.web, REQUESTS[name])


@pytest.mark.parametrize("name", REQUESTS)
def test_a_hostile_request_is_no_error_of_the_sockets_server(stack: Stack, name: str) -> None:
    is_no_error(stack.ws[0], REQUESTS[name])


def is_no_error(server: Server, sent: bytes) -> None:
    server.mark()
    status = answer(server.port, sent)
    assert status < 500 or status == 501
    assert complaints(server) == []


def complaints(server: Server) -> list[str]:
    """What was logged, but for what is said once a minute to whoever can mend a setting."""
    lines = server.output_since_mark().splitlines()
    return [line for line in lines if not any(f'"logger": "{name}"' in line for name in SAID_ONCE_A_MINUTE)]


def answer(port: int, sent: bytes) -> int:
    """The status of the answer; 0 where the connection is closed without one."""
    with socket.create_connection((HERE, port), timeout=SECONDS) as mallory:
        try:
            mallory.sendall(sent)
            with http.client.HTTPResponse(mallory, method="HEAD") as response:
                response.begin()
                return response.status
        except (ConnectionError, http.client.HTTPException):
            return 0


@pytest.mark.parametrize("cookie", COOKIES)
async def test_a_hostile_cookie_makes_a_guest_on_a_socket_too(stack: Stack, cookie: str) -> None:
    async with await enter(stack.ws[0].ws_url, new_room(), headers={"Cookie": cookie}) as mallory:
        assert mallory.welcome["you"]["guest"] is True
        await mallory.say("hello")


@GUNICORN
def test_the_admins_searches_and_filters_take_anything(stack: Stack) -> None:
    take_anything(stack, stack.web)


def test_the_admins_searches_and_filters_take_anything_on_the_sockets_server(stack: Stack) -> None:
    take_anything(stack, stack.ws[0])


def take_anything(stack: Stack, server: Server) -> None:
    name = new_id()
    carol, password = Visitor(server.url), stack.make_user(name, staff=True)
    carol.post("/admin/login/", {"username": name, "password": password})
    server.mark()
    statuses = {
        path: carol.get(path).status
        for listed in ("rooms/room", "rooms/message", "auth/user", "auth/group")
        for odd in ODD
        for path in (f"/admin/{listed}/?{odd}", f"/admin/{listed}/{odd.rpartition('=')[2]}/change/")
    }
    assert statuses["/admin/rooms/room/?e=1"] == 200
    assert {path: status for path, status in statuses.items() if status >= 500} == {}
    assert complaints(server) == []


@pytest.mark.parametrize("field", ["username", "password", "next", "csrfmiddlewaretoken"])
@pytest.mark.parametrize(
    "odd",
    ["\0", "a\0b", "\ufffd", "x" * 5000, "\u202e", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")],
)
@pytest.mark.parametrize("path", ["/accounts/login/", "/admin/login/"])
@GUNICORN
def test_nobody_logs_in_with_what_no_database_holds(stack: Stack, path: str, field: str, odd: str) -> None:
    mallory = Visitor(stack.web.url)
    answered = mallory.post(path, {"username": new_id(), "password": "b", field: odd}).status
    assert answered == (403 if field == "csrfmiddlewaretoken" else 200)


@pytest.mark.parametrize("odd", ["\0", "a\0b", "\ufffd"])
@GUNICORN
def test_no_field_of_ours_takes_what_no_database_holds(stack: Stack, odd: str) -> None:
    mallory, path = Visitor(stack.web.url), room_page(new_room())
    statuses = [
        mallory.post(path, {"body": odd}).status,
        mallory.post(path, {"body": "hello", "id": odd}).status,
        mallory.post("/", {"name": odd}).status,
        mallory.post("/name/", {"name": odd}, seen_on="/").status,
        mallory.post("/name/", {"name": "Mallory", "next": odd}, seen_on="/").status,
    ]
    assert statuses == ([303, 303, 422, 303, 303] if odd == "\ufffd" else [422, 422, 422, 422, 303])
