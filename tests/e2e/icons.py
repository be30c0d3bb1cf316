"""The icons of an installed site, as PNG, drawn of icon.svg by Chromium: `make icons`."""

import asyncio
import base64
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from browser import chromium  # noqa: E402

STATIC = TESTS.parent / "app"
SOURCE = STATIC / "rooms" / "static" / "rooms" / "icon.svg"
FOLDER = STATIC / "phone" / "static" / "phone"
PAPER = "#f6f5f2"
# Its size, how much of that the drawing takes, and what is behind it. Of a maskable one a phone may cut a fifth away.
ICONS = {"icon-192": (192, 1.0, ""), "icon-512": (512, 1.0, ""), "maskable-512": (512, 0.6, PAPER)}


async def main() -> None:
    source = base64.b64encode(SOURCE.read_bytes()).decode()
    async with chromium() as browser:
        for name, (size, share, paper) in ICONS.items():
            page = await browser.new_page(viewport={"width": size, "height": size})
            style = f"margin:0;display:grid;place-items:center;height:100vh;background:{paper or 'transparent'}"
            image = f"<img width='{size * share:.0f}' src='data:image/svg+xml;base64,{source}'>"
            await page.set_content(f"<body style='{style}'>{image}</body>")
            await page.locator("img").evaluate("image => image.decode()")
            await page.screenshot(path=FOLDER / f"{name}.png", omit_background=not paper)


asyncio.run(main())
