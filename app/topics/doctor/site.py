"""The site as a browser finds it by its address."""

import http.client
import ssl
from email.message import Message
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

SECONDS: Final = 15.0  # for an answer
MOST_BYTES: Final = 2**20  # of a page
PORTS: Final = {"http": 80, "https": 443}
LOCAL: Final = ("localhost", "127.0.0.1", "::1")
AWAY: Final = {502, 503, 504}
FORWARD: Final = (
    "Each proxy in front must pass on Host with its port and say X-Forwarded-Proto (nginx: proxy_set_header Host "
    "$http_host; proxy_set_header X-Forwarded-Proto $scheme;) and be believed: TRUSTED_PROXIES in .env with compose, "
    "else PROXY_HOPS=1."
)
LOOK_AT: Final = "Look beside the servers: `make doctor STACK=1`, `docker compose ps`, `docker compose logs {}`."


class Answer(NamedTuple):
    status: int
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


class Site(NamedTuple):
    scheme: str
    host: str
    port: int

    @classmethod
    def at(cls, url: str) -> "Site":
        """Raises ValueError with a sentence."""
        try:
            parts = urlsplit(url)
            name = (parts.hostname or "").encode("idna").decode()  # as browsers send it
            if name:
                return cls(parts.scheme, name, parts.port or PORTS[parts.scheme])
        except (ValueError, KeyError):
            pass
        raise ValueError(f"{url[:100]!r} is not an address such as https://rooms.example.org.")

    @property
    def is_local(self) -> bool:
        return self.host in LOCAL

    @property
    def netloc(self) -> str:
        """As a browser writes it into Host and Origin."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == PORTS[self.scheme] else f"{name}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.netloc}"

    def get(self, path: str = "/") -> Answer:
        """Follows no redirect. Raises OSError and http.client.HTTPException."""
        kind = http.client.HTTPSConnection if self.scheme == "https" else http.client.HTTPConnection
        connection = kind(self.host, self.port, timeout=SECONDS)
        try:
            connection.request("GET", path, headers={"Host": self.netloc, "User-Agent": "doctor"})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read(MOST_BYTES))
        finally:
            connection.close()

    def dial(self, path: str, origin: str | None = None, protocol: str = "", **headers: str) -> ClientConnection:
        """A socket. Raises OSError and websockets' exceptions."""
        secure = self.scheme == "https"
        return connect(
            f"{'wss' if secure else 'ws'}://{self.netloc}{path}",
            ssl=ssl.create_default_context() if secure else None,
            origin=origin,  # type: ignore[arg-type]
            subprotocols=[protocol] if protocol else None,  # type: ignore[list-item]
            additional_headers={name.replace("_", "-"): value for name, value in headers.items()},
            compression=None,
            open_timeout=SECONDS,
            ping_interval=None,
            close_timeout=2,
            proxy=None,
        )

    def handshake(self, path: str, origin: str | None = None, protocol: str = "", **headers: str) -> int:
        """The status that it is answered by."""
        try:
            self.dial(path, origin, protocol, **headers).close()
        except InvalidStatus as refused:
            return refused.response.status_code
        return 101
