"""The head of a request, judged once for both servers: what one of them answers, the other answers too.

The servers' parsers cut the head into its parts. What those parts may be is decided here, before either server, or
its WebSocket library, does anything with them: the libraries differ, and some of what strangers send makes them log a
traceback, or say nothing at all.
"""

import re
from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import unquote

from realtime.limits import MAX_BODY_BYTES, MAX_HEAD_BYTES, MAX_HEADERS

Headers = list[tuple[bytes, bytes]]

METHODS = {b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"}
VERSIONS = {b"1.0", b"1.1"}
TARGET = re.compile(rb"/[!-\"$-~]*")  # origin form: visible ASCII, no fragment
ABSOLUTE = re.compile(rb"(?i:https?|wss?)://([^/?#]*)(.*)")
HOST = re.compile(rb"([A-Za-z0-9._~%!$&'()*+,;=-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
NAME = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+")  # a token
BAD_IN_VALUE = re.compile(rb"[^\t -~\x80-\xff]")
KEY = re.compile(rb"[A-Za-z0-9+/]{21}[AQgw]==")  # 16 bytes in base64
LENGTH = re.compile(rb"[0-9]{1,20}")
ONE_AT_MOST = (b"content-length", b"transfer-encoding", b"upgrade", b"sec-websocket-version", b"sec-websocket-key")
# What the WebSocket library gets to see of a handshake: the rest of it could only make it differ from the other one.
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n%s\r\n"
)


class Refused(Exception):
    """The answer to a request that is not served: a status, further headers and a sentence."""

    def __init__(self, status: int, sentence: str, headers: Headers | None = None) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.headers = status, sentence, headers or []

    def answer(self) -> bytes:
        body = f"{self.sentence}\n".encode()
        lines = [b"HTTP/1.1 %d %s" % (self.status, HTTPStatus(self.status).phrase.encode())]
        lines += [name + b": " + value for name, value in self.headers]
        lines += [b"Content-Type: text/plain; charset=utf-8", b"Content-Length: %d" % len(body), b"Connection: close"]
        return b"\r\n".join([*lines, b"", body])


# Made anew for each: an exception that is raised again keeps what all who ever raised it had in their hands.
NO_REQUEST = partial(Refused, 400, "This is not an HTTP request.")
HEAD_TOO_BIG = partial(Refused, 431, "The request's headers are too large.")
BODY_TOO_BIG = partial(Refused, 413, "The request's body is too large.")
TOO_LATE = partial(Refused, 408, "The request did not come in time.")
NO_ANSWER = partial(Refused, 503, "The application did not answer in time.")


class Head(NamedTuple):
    """What is served: `target` begins with a slash, names in `headers` are lower case."""

    target: bytes
    headers: Headers
    subprotocols: list[str]
    handshake: bytes  # for the WebSocket library; empty where no WebSocket is asked for

    def scope(self) -> dict[str, Any]:
        """Its part of an ASGI scope."""
        path, _, query = self.target.partition(b"?")
        decoded = unquote(path.decode("ascii"))
        return {"path": decoded, "raw_path": path, "query_string": query, "headers": self.headers}


def judged(method: bytes, target: bytes, version: bytes, headers: Headers) -> Head:
    """The head of a request that is served. Raises Refused for any other. Names of headers are lower case."""
    if method not in METHODS or version not in VERSIONS:
        raise NO_REQUEST()
    _must_be_bounded(target, headers)
    found = _by_name(headers)
    target, host = _origin_form(target, found.get(b"host", []))
    if len(host) > 1 or (not host and version == b"1.1") or not all(map(HOST.fullmatch, host)):
        raise Refused(400, "A request names one host.")
    _must_have_one_length(found)
    passed_on = _passed_on(headers, host)
    if b"websocket" not in _tokens(found.get(b"upgrade")):
        return Head(target, passed_on, [], b"")
    _must_be_handshake(method, version, found)
    subprotocols = _offered(found.get(b"sec-websocket-protocol", []))
    offered = b"Sec-WebSocket-Protocol: %s\r\n" % ", ".join(subprotocols).encode() if subprotocols else b""
    return Head(target, passed_on, subprotocols, HANDSHAKE % (found[b"sec-websocket-key"][0], offered))


def _must_be_bounded(target: bytes, headers: Headers) -> None:
    size = len(target) + sum(len(name) + len(value) for name, value in headers)
    if size > MAX_HEAD_BYTES or len(headers) > MAX_HEADERS:
        raise HEAD_TOO_BIG()


def _by_name(headers: Headers) -> dict[bytes, list[bytes]]:
    names = [name for name, _ in headers]
    bad_value = BAD_IN_VALUE.search(b"".join(value for _, value in headers))
    if bad_value or not all(names) or not NAME.fullmatch(b"".join([b"x", *names])):
        raise NO_REQUEST()
    found: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        found.setdefault(name, []).append(value)
    for name in ONE_AT_MOST:
        if len(found.get(name, ())) > 1:
            raise Refused(400, f"There is more than one {name.decode()}.")
    return found


def _origin_form(target: bytes, host: list[bytes]) -> tuple[bytes, list[bytes]]:
    """As RFC 9112 wants it: a whole address is as good as a path, and its host counts instead of the header's."""
    if whole := ABSOLUTE.fullmatch(target):
        authority, target = whole.groups()
        host = [authority]
        target = target if target.startswith(b"/") else b"/" + target
        if not authority:
            raise NO_REQUEST()
    if not TARGET.fullmatch(target):
        raise NO_REQUEST()
    return target, host


def _must_have_one_length(found: dict[bytes, list[bytes]]) -> None:
    length, coding = found.get(b"content-length"), found.get(b"transfer-encoding")
    if (length and (coding or not LENGTH.fullmatch(length[0]))) or (coding and coding[0].lower() != b"chunked"):
        raise Refused(400, "The length of the request's body is not clear.")
    if length and int(length[0]) > MAX_BODY_BYTES:
        raise BODY_TOO_BIG()


def _must_be_handshake(method: bytes, version: bytes, found: dict[bytes, list[bytes]]) -> None:
    if method != b"GET":
        raise Refused(405, "A WebSocket is opened by GET.", [(b"Allow", b"GET")])
    if version != b"1.1" or b"upgrade" not in _tokens(found.get(b"connection")):
        raise Refused(400, "A WebSocket is opened by HTTP/1.1 with Connection: Upgrade.")
    if found[b"upgrade"][0].strip().lower() != b"websocket":
        raise Refused(400, "A WebSocket is opened by Upgrade: websocket alone.")
    if found.get(b"sec-websocket-version") != [b"13"]:
        headers = [(b"Upgrade", b"websocket"), (b"Sec-WebSocket-Version", b"13")]
        raise Refused(426, "WebSockets are spoken in version 13.", headers)
    if not KEY.fullmatch(found.get(b"sec-websocket-key", [b""])[0]):
        raise Refused(400, "Sec-WebSocket-Key is 16 bytes in base64.")
    if found.get(b"content-length", [b"0"])[0].strip(b"0") or b"transfer-encoding" in found:
        raise Refused(400, "A request for a WebSocket has no body.")


def _offered(values: list[bytes]) -> list[str]:
    """Of empty elements, and so of an empty header, nothing is thought."""
    offered = [name.strip(b" \t") for value in values for name in value.split(b",")]
    offered = [name for name in offered if name]
    if len(set(offered)) < len(offered) or not all(map(NAME.fullmatch, offered)):
        raise Refused(400, "Subprotocols are different words of ASCII.")
    return [name.decode() for name in offered]


def _passed_on(headers: Headers, host: list[bytes]) -> Headers:
    """A name with an underscore could be mistaken for another one where names are written as CGI did."""
    kept = [(name, value) for name, value in headers if name != b"host" and b"_" not in name]
    return [(b"host", name) for name in host] + kept


def _tokens(values: list[bytes] | None) -> list[bytes]:
    return [token.strip().lower() for value in values or () for token in value.split(b",")]
