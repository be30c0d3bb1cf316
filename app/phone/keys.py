"""By whom a push is sent: VAPID, as RFC 8292 has it. Without a key of the site's nothing is pushed."""

import re
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from email.utils import parseaddr
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

VALID_SECONDS: Final = 12 * 3600  # at most a day
POINT_BYTES: Final = 65
AUTH_BYTES: Final = 16
DOMAIN: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z][a-z0-9-]+")


def public_key() -> str:
    """What browsers subscribe by, empty where there is none."""
    return _public_key(settings.VAPID_KEY) if settings.VAPID_KEY else ""


@lru_cache(maxsize=1)
def _public_key(private: str) -> str:
    key = ec.derive_private_key(int.from_bytes(decoded(private)), ec.SECP256R1()).public_key()
    return urlsafe_b64encode(key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)).rstrip(b"=").decode()


def signed(endpoint: str) -> dict[str, str]:
    """The headers by which the push service knows who sends."""
    from py_vapid import Vapid02

    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int(time.time()) + VALID_SECONDS,
        "sub": contact(),
    }
    headers: dict[str, Any] = Vapid02.from_raw(settings.VAPID_KEY.encode()).sign(claims)
    return {name: str(value) for name, value in headers.items()}


def contact() -> str:
    """Whom a push service tells that something is wrong."""
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    if address and not address.endswith("@localhost"):
        return f"mailto:{address}"
    names = [host.removeprefix(".") for host in settings.ALLOWED_HOSTS]
    return f"https://{next((name for name in names if DOMAIN.fullmatch(name)), 'localhost')}"


def decoded(text: str) -> bytes:
    """Of base64 as URLs have it. Raises ValueError."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def are_of_a_browser(p256dh: str, auth: str) -> bool:
    """Whether a push can be encrypted to these."""
    try:
        point, secret = decoded(p256dh), decoded(auth)
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        return False
    return len(point) == POINT_BYTES and len(secret) == AUTH_BYTES
