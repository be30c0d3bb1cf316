"""Pictures that people send, and files that only claim to be pictures."""

import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from files import pictures
from files.pictures import LARGEST, SMALL, NoPicture


def photo(size: tuple[int, int] = (1_200, 800), kind: str = "JPEG", mode: str = "RGB", **how: Any) -> BytesIO:
    picture = Image.new(mode, size)
    picture.paste("red", (0, 0, size[0] // 2, size[1]))
    out = BytesIO()
    picture.save(out, kind, **how)
    return BytesIO(out.getvalue())


def seen(content: bytes) -> Image.Image:
    picture = Image.open(BytesIO(content))
    picture.load()
    return picture


def test_a_photo_loses_where_it_was_taken_and_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 0.0)}
    exif[0x010E] = "my secret garden"
    made = pictures.made(photo(exif=exif, comment=b"also secret"))
    assert (made.width, made.height) == (800, 1_200)
    assert made.whole is not None
    for content in (made.whole, made.preview):
        assert not seen(content).getexif()
        assert b"secret" not in content
    red = seen(made.whole).convert("RGB").getpixel((400, 100))
    assert isinstance(red, tuple)
    assert red[0] > 200
    assert red[2] < 50


def test_what_is_behind_the_picture_goes() -> None:
    made = pictures.made(BytesIO(photo().getvalue() + b"<script>alert(1)</script>"))
    assert made.whole is not None
    assert b"script" not in made.whole


@pytest.mark.parametrize(("kind", "mode", "type"), [("PNG", "RGBA", "image/png"), ("PNG", "L", "image/jpeg")])
def test_what_can_be_seen_through_stays_so(kind: str, mode: str, type: str) -> None:
    assert pictures.made(photo(kind=kind, mode=mode)).type == type


def test_large_ones_become_smaller() -> None:
    made = pictures.made(photo((6_000, 3_000)))
    assert made.whole is not None
    assert max(seen(made.whole).size) <= max(LARGEST)
    assert max(seen(made.preview).size) <= max(SMALL)
    assert (made.width, made.height) == seen(made.whole).size


def test_one_that_moves_is_kept_as_it_came_with_a_preview_that_stands() -> None:
    frames = [Image.new("RGB", (50, 50), colour) for colour in ("red", "blue")]
    out = BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    made = pictures.made(BytesIO(out.getvalue()))
    assert made.whole is None
    assert seen(made.preview).size == (50, 50)


def bomb(width: int, height: int) -> bytes:
    """A picture of so many pixels in some hundred bytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1_000)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "content",
    [
        bomb(50_000, 50_000),
        bomb(2**31 - 1, 2**31 - 1),
        bomb(0, 5),
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a" + b"\xff" * 50,
        photo().getvalue()[:200],
        b"%!PS-Adobe-3.0 EPSF-3.0",
    ],
)
def test_what_is_no_picture_or_too_large_a_one_is_none(content: bytes) -> None:
    with pytest.raises(NoPicture):
        pictures.made(BytesIO(content))


def test_who_meets_others_for_too_long_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "PATIENCE_SECONDS", 0.01)
    with pictures.turn(), pytest.raises(pictures.Later):
        pictures.made(photo())
    assert pictures.made(photo())
