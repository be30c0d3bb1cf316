"""Whether files can be kept, tried: for `check --deploy` and `make doctor`."""

import secrets
from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from files.taking import is_on

HINT = (
    "Of a folder: is it there, is there room, and may this user write? Of S3: are the bucket, the keys and the region "
    "right, and is there a way out (with compose: docker/outside.yml)?"
)


@register(deploy=True)
def storage_takes_files(**_: Any) -> list[CheckMessage]:
    if not is_on():
        return []
    try:
        name = default_storage.save(f"check-{secrets.token_hex(8)}", ContentFile(b"written"))
        default_storage.delete(name)
    except Exception as error:  # of whatever kind the storage's are; their words may hold a part of STORAGE_URL
        return [
            Error(f"Nothing can be written where STORAGE_URL leads ({type(error).__name__}).", HINT, id="files.E001")
        ]
    return []
