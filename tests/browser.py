"""Chromium by Playwright, and somebody who sits before it."""

import base64
import json
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Locator, Page, WebSocket, async_playwright, expect

import contract
from visitor import room_page

EXECUTABLE = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",  # which root has no right to
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]
SECONDS = 30.0

PAIR = "<body style='margin:0;display:flex;gap:16px;background:#8894a8;padding:16px'>{}</body>"

expect.set_options(timeout=SECONDS * 1000)


Arrive = Callable[..., Awaitable["Person"]]


@asynccontextmanager
async def chromium(*arguments: str, home: Path | None = None) -> AsyncIterator[Browser]:
    """`home` holds, in .pki/nssdb, the authorities that this one trusts beside those of all browsers."""
    env = dict(os.environ) | ({"HOME": str(home)} if home else {})
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=EXECUTABLE, args=[*ARGUMENTS, *arguments], env=env)
        try:
            yield browser
        finally:
            await browser.close()


def listen(socket: WebSocket) -> None:
    """Both sides of what a page says by a socket are held to the documents."""
    if protocol := contract.protocol_at(socket.url):
        socket.on("framereceived", lambda payload: contract.heard(protocol, json.loads(payload)))
        socket.on("framesent", lambda payload: contract.said(protocol, json.loads(payload)))


async def side_by_side(browser: Browser, pages: list[Page], picture: Path) -> None:
    """One picture of two pages of the same size."""
    sources = [f"data:image/png;base64,{base64.b64encode(await page.screenshot()).decode()}" for page in pages]
    size = pages[0].viewport_size
    assert size
    page = await browser.new_page(viewport={"width": 2 * size["width"] + 48, "height": size["height"] + 32})
    await page.set_content(PAIR.format("".join(f"<img width={size['width']} src='{source}'>" for source in sources)))
    picture.parent.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=picture)


class Person:
    """An actor of the story at a page. `problems` is what the browser complained of."""

    def __init__(self, page: Page, base: str) -> None:
        self.page, self.base = page, base
        self.problems: list[str] = []
        page.on("websocket", listen)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda line: line.type == "error" and self.problems.append(line.text))

    async def enter(self, room: str) -> None:
        await self.page.goto(self.base + room_page(room))
        await self.is_live()

    async def say(self, body: str) -> None:
        await self.write(body)
        await expect(self.stored(body)).to_be_visible()

    async def hears(self, body: str) -> None:
        await expect(self.stored(body)).to_be_visible()

    async def everything(self) -> list[str]:
        return await self.page.locator("#messages > li .body").all_inner_texts()

    async def write(self, body: str) -> None:
        """Type it and press Enter."""
        await self.box.fill(body)
        await self.box.press("Enter")

    async def is_live(self) -> None:
        await self.state_is("live")

    async def state_is(self, state: str) -> None:
        await expect(self.page.get_by_test_id("connection")).to_have_attribute("data-state", state)

    @property
    def box(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message")

    def stored(self, body: str) -> Locator:
        """The message as the room's log has it."""
        return self.page.locator("li[data-seq]:not(.pending)", has=self.page.get_by_text(body, exact=True))

    def pending(self, body: str) -> Locator:
        """The message as long as it is not acknowledged."""
        return self.page.locator("li.pending", has=self.page.get_by_text(body, exact=True))
