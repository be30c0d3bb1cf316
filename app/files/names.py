"""What a file may be called, and what kind of thing it is said to be."""

import re
import unicodedata
from typing import Final

from files.models import MAX_NAME

TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,60}")
UNKNOWN: Final = "application/octet-stream"
NAMELESS: Final = "file"
# Among them are those that turn the direction of what follows: `exe.gpj` would be shown as a picture's name.
INVISIBLE: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
FORBIDDEN: Final = '/\\:*?"<>|'  # in names of files, on some system
RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def clean_name(given: str) -> str:
    """The last part of a path, with characters that can be seen and no others; its end is kept."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", given))[-1]
    seen = "".join(char for char in last if unicodedata.category(char) not in INVISIBLE)
    name = " ".join("".join("_" if char in FORBIDDEN else char for char in seen).split()).strip(". ")
    if not name or RESERVED.fullmatch(name):
        name = f"{NAMELESS} {name}".strip()
    if len(name) > MAX_NAME:
        stem, dot, end = name.rpartition(".")
        name = f"{stem[: MAX_NAME - len(end) - 1]}.{end}" if dot and len(end) < 16 else name[:MAX_NAME]
    return name


def clean_type(given: str) -> str:
    kind = given.partition(";")[0].strip().lower()
    return kind if TYPE.fullmatch(kind) else UNKNOWN


def is_allowed(kind: str, allowed: tuple[str, ...]) -> bool:
    """Whether it is one of these, such as image/* and application/pdf; of none that are named, all are."""
    return not allowed or any(
        kind == one or (one.endswith("/*") and kind.startswith(one.removesuffix("*"))) for one in allowed
    )
