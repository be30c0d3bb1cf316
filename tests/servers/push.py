"""A stand-in for the push services of browsers' makers, which no test can reach: it takes pushes, and reads them as the
browser would that they are for.
"""

import json
import os
from base64 import urlsafe_b64encode
from typing import Any, NamedTuple

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from servers.answering import Answering, Quiet


def text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


class Push(NamedTuple):
    """`told` is what was encrypted, `size` how many bytes that took."""

    path: str
    told: dict[str, Any]
    headers: dict[str, str]
    size: int


class PushService(Answering):
    """`pushes` is what has come. It answers by `status`, and with these headers."""

    def __init__(self) -> None:
        self.status, self.headers = 201, dict[str, str]()
        self.pushes: list[Push] = []
        self._key, self._auth = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
        service = self

        class Handler(Quiet):
            def do_POST(self) -> None:
                service._take(
                    self.path, dict(self.headers.items()), self.rfile.read(int(self.headers["Content-Length"]))
                )
                self.send_response(service.status)
                for name, value in service.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

        super().__init__(Handler)

    def _take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        plain = http_ece.decrypt(body, private_key=self._key, auth_secret=self._auth, version="aes128gcm")
        assert Vapid02.verify(headers["Authorization"]), "nobody has signed it"
        self.pushes.append(Push(path, json.loads(plain), headers, len(body)))

    def subscription(self, path: str = "/a") -> dict[str, str]:
        """What a browser would say of itself."""
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"endpoint": f"http://127.0.0.1:{self.port}{path}", "p256dh": text(point), "auth": text(self._auth)}
