"""STORAGE_URL: where files are kept, as Django's storages have it. No sentence here repeats any of it."""

import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from config.services import ESCAPES

HOW = "must be file:///path, or s3://key:secret@host/bucket (s3+http:// without TLS); empty: no files are taken."
PARAMETERS = {"region"}


def storage(url: str) -> dict[str, Any]:
    """Django's settings of the storage at that address. Raises ImproperlyConfigured."""
    if not url:
        return {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    try:
        parts = urlsplit(url)
        asked = {name: values[-1] for name, values in parse_qs(parts.query, strict_parsing=bool(parts.query)).items()}
        port = parts.port
    except ValueError:  # whose words may show a part of the secret
        raise ImproperlyConfigured(f"STORAGE_URL {HOW} {ESCAPES}") from None
    if parts.scheme == "file" and not parts.netloc and len(parts.path) > 1 and not parts.query:
        options = {"location": unquote(parts.path), "file_permissions_mode": 0o640}
        return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    bucket, _, folder = parts.path.strip("/").partition("/")
    plausible = (
        parts.hostname and parts.username and parts.password and re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,62}", bucket)
    )
    if parts.scheme not in {"s3", "s3+http"} or not plausible or asked.keys() - PARAMETERS:
        raise ImproperlyConfigured(f"STORAGE_URL {HOW} {ESCAPES}")
    scheme = "http" if parts.scheme == "s3+http" else "https"
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "access_key": unquote(parts.username or ""),
            "secret_key": unquote(parts.password or ""),
            "bucket_name": bucket,
            "location": folder,
            "endpoint_url": f"{scheme}://{parts.hostname}" + (f":{port}" if port else ""),
            "region_name": asked.get("region", "us-east-1"),
            "file_overwrite": True,
            "default_acl": None,
        },
    }


def types(text: str) -> tuple[str, ...]:
    """image/*,application/pdf. Raises ImproperlyConfigured."""
    found = tuple(one.strip().lower() for one in text.split(",") if one.strip())
    if not all(re.fullmatch(r"[\w.+-]+/(\*|[\w.+-]+)", one) for one in found):
        raise ImproperlyConfigured("FILES_TYPES must be types with commas between, such as image/*,application/pdf.")
    return found
