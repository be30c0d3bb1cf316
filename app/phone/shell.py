"""What the service worker keeps: the static files that pages are made of, and the page that says there is no network.

Their names carry a hash of what is in them, so one that is kept never grows old. While DEBUG is on they do not, and the
worker asks the network first.
"""

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.templatetags.static import static

KINDS: Final = (".js", ".css", ".svg")
OTHERS: Final = ("admin/", "topics/inspector/", "topics/pages")  # which nobody meets in a room
WRITTEN: Final = ("rooms/style.css", "rooms/icon.svg")
WORKER: Final = Path(__file__).with_name("worker.js")
OFFLINE: Final = Path(__file__).with_name("templates") / "phone" / "offline.html"


def files() -> list[str]:
    """Their addresses."""
    known: Any = getattr(staticfiles_storage, "hashed_files", {})
    names = WRITTEN if settings.DEBUG else known
    return sorted(static(name) for name in names if name.endswith(KINDS) and not name.startswith(OTHERS))


@lru_cache(maxsize=4)
def worker(offline: str) -> str:
    """The service worker. `offline` is the address of the page without a network; a new release is another text."""
    kept, source = files(), WORKER.read_text()
    release = hashlib.sha256("\n".join([source, OFFLINE.read_text(), *kept]).encode()).hexdigest()[:16]
    given = {"release": release, "files": kept, "hashed": not settings.DEBUG, "offline": offline}
    return f"const SHELL = {json.dumps(given | {'icon': static('phone/icon-192.png')})};\n{source}"
