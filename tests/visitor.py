"""Somebody with a browser that runs no JavaScript: pages, cookies, forms."""

import gzip
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from email.message import Message
from http.cookiejar import CookieJar
from typing import Any


@dataclass(frozen=True)
class Page:
    status: int
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        zipped = self.headers.get("Content-Encoding") == "gzip"
        return (gzip.decompress(self.body) if zipped else self.body).decode()


class Visitor:
    """Keeps cookies, follows no redirect by itself. Paths are relative to `base`, like http://127.0.0.1:8080."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.jar = CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(self.jar), urllib.request.ProxyHandler({}), _Stay
        )

    def get(self, path: str, **headers: str) -> Page:
        return self._open(path, None, headers)

    def post(self, path: str, form: dict[str, str], *, seen_on: str | None = None, **headers: str) -> Page:
        """Send a form as the page that shows it does: with that page's token."""
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.get(seen_on or path).text)
        assert token, f"no form on {seen_on or path}"
        fields = {"csrfmiddlewaretoken": token[1], **form}
        return self._open(path, urllib.parse.urlencode(fields).encode(), {"Origin": self.base, **headers})

    def post_raw(self, path: str, body: bytes, **headers: str) -> Page:
        return self._open(path, body, headers)

    @property
    def cookies(self) -> dict[str, str]:
        """As headers of a WebSocket handshake, so that the socket is this visitor's too."""
        return {"Cookie": "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.jar)}

    def _open(self, path: str, body: bytes | None, headers: dict[str, str]) -> Page:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.base + path, data=body, headers=names)
        try:
            answer: Any = self._opener.open(request, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return Page(answer.status, answer.headers, answer.read())


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def room_page(room: str) -> str:
    return f"/room/{urllib.parse.quote(room, safe='')}/"
