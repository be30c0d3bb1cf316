"""A file comes: begun, sent in pieces which are kept in the storage, and put together at the end.

A line that is cut costs one piece: whoever sends asks how much is here, and goes on from there, with whichever process.
"""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from io import BytesIO
from typing import IO, Any, Final

from django.conf import settings
from django.core.files import File as Content
from django.core.files.storage import default_storage
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from files import pictures
from files.errors import NotTaken
from files.models import File
from files.names import clean_name, clean_type, is_allowed
from topics import Person, rates

PIECE: Final = 96 * 1024  # bytes of one request; a body has at most 128 KiB
HOUR: Final = timedelta(hours=1)
PER_ADDRESS: Final = 20  # times as much as a person: a guest can be a new one at any time
UNFINISHED: Final = 20  # files of one person

OFF: Final = _("Files are not taken here.")
TOO_LARGE: Final = _("{name} is too large: a file has at most {most}.")
EMPTY: Final = _("{name} is empty.")
NOT_ALLOWED: Final = _("{name} is of a kind that is not taken here.")
TOO_MUCH: Final = _("You have sent very much within an hour. Send it later.")
NO_COOKIE: Final = _("Your browser keeps no cookies for this site, so nobody could know whose file it is.")
TOO_FAST: Final = _("That was too fast: try again in a moment.")
NONE: Final = _("There is no such file any more: send it again.")
BUSY: Final = _("Many pictures come just now: try again in a moment.")


def is_on() -> bool:
    return settings.FILES_MAX_BYTES > 0 and bool(settings.STORAGE_URL)


def begin(place: str, person: Person, name: str, kind: str, length: int) -> File:
    """Raises NotTaken."""
    name, kind = clean_name(name), clean_type(kind)
    if not is_on():
        raise NotTaken(OFF, 404)
    if not person.known:
        raise NotTaken(NO_COOKIE, 403)
    if rates.post(person):
        raise NotTaken(TOO_FAST, 429, again=True)
    if length > settings.FILES_MAX_BYTES:
        raise NotTaken(TOO_LARGE.format(name=name, most=in_words(settings.FILES_MAX_BYTES)), 413)
    if length < 1:
        raise NotTaken(EMPTY.format(name=name))
    if not is_allowed(kind, settings.FILES_TYPES):
        raise NotTaken(NOT_ALLOWED.format(name=name), 415)
    check_share(person, length)
    return File.objects.create(
        place=place, owner=person.key, address=person.address, name=name, type=kind, length=length
    )


def check_share(person: Person, length: int) -> None:
    most = settings.FILES_BYTES_PER_HOUR
    lately = File.objects.filter(at__gte=timezone.now() - HOUR)
    shares = (({"owner": person.key}, most), ({"address": person.address}, PER_ADDRESS * most))
    for whose, limit in shares:
        if limit and any(whose.values()) and (sent(lately.filter(**whose)) + length > limit):
            rates.met("files")
            raise NotTaken(TOO_MUCH, 429)
    if File.objects.filter(owner=person.key, stored="", gone=False).count() >= UNFINISHED:
        rates.met("files")
        raise NotTaken(TOO_MUCH, 429)


def sent(files: Any) -> int:
    return files.aggregate(sum=Sum("length"))["sum"] or 0


def in_words(size: int) -> str:
    return f"{size / 2**20:g} MB" if size >= 2**20 else f"{size // 1024} KB"


def own(place: str, key: str, person: Person) -> File:
    """What the person sends there. Raises NotTaken."""
    found = File.objects.filter(pk=key, place=place, owner=person.key, said=False, gone=False).first()
    if found is None or not person.known:
        raise NotTaken(NONE, 404)
    return found


def add(file: File, offset: int, piece: bytes) -> File:
    """What comes next. Raises NotTaken, with where it should go on."""
    if file.stored:
        return file
    if offset != file.received or offset + len(piece) > file.length:
        raise NotTaken(f"It goes on at {file.received}.", 409, file.received)
    if piece:
        name = default_storage.save(f"{file.pk}/{offset}-{secrets.token_hex(4)}", Content(BytesIO(piece)))
        now = {"received": offset + len(piece), "pieces": [*file.pieces, name]}
        if not File.objects.filter(pk=file.pk, received=offset, stored="").update(**now):
            default_storage.delete(name)
            file.refresh_from_db()
            raise NotTaken(f"It goes on at {file.received}.", 409, file.received)
        for field, value in now.items():
            setattr(file, field, value)
    if file.received == file.length:
        finish(file)
    return file


def take(place: str, person: Person, name: str, kind: str, content: IO[bytes], length: int) -> File:
    """A file that comes as a whole, by a form. Raises NotTaken."""
    file = begin(place, person, name, kind, length)
    while piece := content.read(PIECE):
        add(file, file.received, piece)
    if not file.stored:
        raise NotTaken(NONE)
    return file


# --- Put together ------------------------------------------------------------------------------------------


def finish(file: File) -> None:
    """Of a picture only what is seen stays. Whoever was interrupted here asks again, and it is done again."""
    kept: dict[str, Any] = {"size": file.length, "type": file.type}
    whole: IO[bytes] = joined(file.pieces)
    if file.type.startswith("image/"):
        try:
            made = pictures.made(whole)
        except pictures.Later:
            raise NotTaken(BUSY, 503, file.received, again=True) from None
        except pictures.NoPicture:
            whole = joined(file.pieces)
        else:
            ending = made.type.removeprefix("image/").replace("jpeg", "jpg")
            preview = save(file, f"preview.{ending}", made.preview)
            kept |= {"width": made.width, "height": made.height, "preview": preview}
            whole = joined(file.pieces)
            if made.whole is not None:
                whole = BytesIO(made.whole)
                kept |= {"size": len(made.whole), "type": made.type, "inline": True, "name": ended(file.name, ending)}
    kept["stored"] = save(file, "file", whole)
    pieces = file.pieces
    File.objects.filter(pk=file.pk).update(**kept, pieces=[])
    for name in pieces:
        default_storage.delete(name)
    for field, value in (kept | {"pieces": []}).items():
        setattr(file, field, value)


def save(file: File, name: str, content: IO[bytes] | bytes) -> str:
    stream = BytesIO(content) if isinstance(content, bytes) else content
    return default_storage.save(f"{file.pk}/{secrets.token_hex(4)}-{name}", Content(stream))


def ended(name: str, ending: str) -> str:
    stem, dot, _ = name.rpartition(".")
    return f"{stem if dot else name}.{ending}"


def joined(pieces: Sequence[str]) -> IO[bytes]:
    """In memory, where FILES_MAX_BYTES bounds it."""

    def content(name: str) -> bytes:
        with default_storage.open(name) as piece:
            return bytes(piece.read())

    return BytesIO(b"".join(content(name) for name in pieces))
