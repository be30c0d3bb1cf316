"""The pictures of the guides: each is followed as its tests do, and two browsers are put side by side."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import Browser

from browser import Person, chromium, side_by_side
from guides.checkout import GUIDES, followed
from guides.stories import STORIES


async def take(base: str) -> None:
    async with chromium() as browser:
        for name, story in STORIES.items():
            await side_by_side(
                browser,
                await story(base, lambda base, **options: arrive(browser, base, **options)),
                GUIDES / f"{name}.png",
            )


async def arrive(browser: Browser, base: str, **options: Any) -> Person:
    context = await browser.new_context(locale="en-GB", device_scale_factor=1.5, **options)
    return Person(await context.new_page(), base)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = followed(Path(folder) / "clone").server()
        server.start()
        try:
            asyncio.run(take(server.url))
        finally:
            server.kill()
