"""Take them all: the rooms', of a site with some talk in it, and the guides', each followed as its tests do.

PYTHONPATH=tests python -m pictures
"""

import asyncio
import base64
import io
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image as Picture
from playwright.async_api import Browser, Page

from browser import chromium
from guides import pictures as guides
from pictures import rooms
from servers.app import Image, environment

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
TALK: Final = Path(__file__).with_name("talk.py")
COLOURS: Final = 192
BESIDE: Final = """<!doctype html><style>
  body {{ display: flex; align-items: start; gap: 20px; width: max-content; margin: 0; padding: 20px }}
  body {{ background: #8894a8 }}
  img {{ border-radius: 10px; box-shadow: 0 4px 18px rgb(0 0 0 / 25%) }}
</style>{}"""


async def keep(browser: Browser, pages: list[Page], name: str) -> None:
    """One picture of all, beside each other, in few colours."""
    shown = []
    for page in pages:
        await page.evaluate("document.fonts.ready")
        width = page.viewport_size["width"]  # type: ignore[index]
        source = base64.b64encode(await page.screenshot(animations="disabled", caret="hide")).decode()
        shown.append(f"<img width={width} src='data:image/png;base64,{source}'>")
    board = await browser.new_page(device_scale_factor=1.5)
    await board.set_content(BESIDE.format("".join(shown)))
    taken = Picture.open(io.BytesIO(await board.locator("body").screenshot()))
    path = DOCS / f"{name}.png"
    path.parent.mkdir(exist_ok=True)
    taken.convert("RGB").quantize(COLOURS, dither=Picture.Dither.NONE).save(path, optimize=True)
    await board.close()
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1000} KB")


async def take(base: str) -> None:
    async with chromium() as browser:
        await rooms.take(browser, base, lambda pages, name: keep(browser, pages, name))


def main() -> None:
    image = Image()
    with tempfile.TemporaryDirectory() as folder:
        env = environment(DATABASE_URL=f"sqlite:///{folder}/db.sqlite3")
        image.migrate(env)
        image.manage("shell", "--no-imports", "-c", TALK.read_text(), env=env)
        server = image.ws("site", env)
        server.start()
        try:
            asyncio.run(take(server.url))
        finally:
            server.kill()
    guides.main()


if __name__ == "__main__":
    main()
