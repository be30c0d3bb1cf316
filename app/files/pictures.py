"""Pictures made anew: nothing but what is seen is left of what somebody sent, the right way up, and small enough.

A picture is judged by its head before it is decoded, since a few bytes may claim a billion pixels, and one at a time is
decoded in a process, which bounds its memory.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from threading import Lock
from typing import IO, Any, Final, NamedTuple

from PIL import Image, ImageOps

FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF")
MOST_PIXELS: Final = 20_000_000  # decoded they are four bytes each
MOST_OF_A_JPEG: Final = 60_000_000  # of which a quarter is decoded, or less
LARGEST: Final = (2_560, 2_560)  # of the picture,
SMALL: Final = (640, 640)  # and of its preview
QUALITY: Final = 85
PATIENCE_SECONDS: Final = 15

_decoding: Final = Lock()


class NoPicture(Exception):
    """It is none that is shown: whoever wants it gets the file as it came."""


class Later(Exception):
    """Others are being decoded."""


class Made(NamedTuple):
    """`whole` is None for one that moves, which would stand still: that is kept as it came, to be downloaded."""

    type: str
    whole: bytes | None
    preview: bytes
    width: int
    height: int


def made(source: IO[bytes]) -> Made:
    """Raises NoPicture, Later."""
    with turn():
        try:
            return _made(source)
        except NoPicture:
            raise
        except Exception as error:  # a decoder raises whatever it likes at what is broken
            raise NoPicture(str(error)) from error


@contextmanager
def turn() -> Iterator[None]:
    if not _decoding.acquire(timeout=PATIENCE_SECONDS):
        raise Later
    try:
        yield
    finally:
        _decoding.release()


def _made(source: IO[bytes]) -> Made:
    with Image.open(source, formats=FORMATS) as opened:
        most = MOST_OF_A_JPEG if opened.format == "JPEG" else MOST_PIXELS
        if not 0 < opened.width * opened.height <= most:
            raise NoPicture(f"{opened.width} × {opened.height} pixels")
        moves = getattr(opened, "n_frames", 1) > 1
        opened.draft("RGB", LARGEST)  # a JPEG is decoded to what is needed of it
        upright = ImageOps.exif_transpose(opened)
    picture: Any = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    picture.thumbnail(LARGEST, Image.Resampling.LANCZOS, reducing_gap=2.0)
    size = picture.size
    kind = "PNG" if picture.mode == "RGBA" else "JPEG"
    whole = None if moves else encoded(picture, kind)
    picture.thumbnail(SMALL, Image.Resampling.LANCZOS)
    return Made(f"image/{kind.lower()}", whole, encoded(picture, kind), *size)


def encoded(picture: Any, kind: str) -> bytes:
    """A new picture of the same pixels, so that nothing else is taken along."""
    bare = Image.new(picture.mode, picture.size)
    bare.paste(picture)
    out = BytesIO()
    bare.save(out, kind, quality=QUALITY, optimize=kind == "PNG")
    return out.getvalue()
