"""VAPID_KEY: the private key, on the curve P-256, by which this site signs what it has pushed to browsers."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

from django.core.exceptions import ImproperlyConfigured

WANTED = "VAPID_KEY must be 32 random bytes in hexadecimal, as `openssl rand -hex 32` makes them."
KEYS = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # as many as there are, but for one


def key(text: str) -> str:
    """The key as base64 for URLs, from that or from hexadecimal digits. Raises ImproperlyConfigured."""
    if not text:
        return ""
    try:
        number = int.from_bytes(bytes.fromhex(text) if re.fullmatch("[0-9a-fA-F]{64}", text) else decoded(text))
    except ValueError:
        number = 0
    if not 0 < number < KEYS:
        raise ImproperlyConfigured(WANTED)
    return urlsafe_b64encode(number.to_bytes(32)).decode().rstrip("=")


def decoded(text: str) -> bytes:
    """Of base64 for URLs, as other tools write such keys. Raises ValueError."""
    if not re.fullmatch("[A-Za-z0-9_-]{43}=?", text):
        raise ValueError("32 bytes are 43 characters")
    return urlsafe_b64decode(text[:43] + "=")
