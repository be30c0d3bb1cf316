"""Take the picture of a conversation: two browsers side by side.

python tests/e2e/screenshot.py http://localhost:8080 docs/conversation.png
"""

import asyncio
import secrets
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.async_api import Browser, expect

from browser import Person, chromium, side_by_side

SIZE = {"width": 640, "height": 720}


async def take(base: str, picture: Path) -> None:
    async with chromium() as browser:
        alice, bob = [await somebody(browser, base, name) for name in ("Alice", "Bob 小波")]
        room = f"茶馆-{secrets.token_hex(2)}"
        await alice.enter(room)
        await bob.enter(room)
        for speaker, listener, body in [
            (alice, bob, "Good morning, Bob! 早上好！"),
            (bob, alice, "早上好，Alice！昨天的聚会怎么样？"),
            (alice, bob, "非常好玩。You should have been there: three kinds of cake!"),
            (bob, alice, "太可惜了 🍰 下次一定来。"),
            (alice, bob, "Tea at five, then? 五点在老地方。"),
            (bob, alice, "五点见 🍵"),
        ]:
            await speaker.say(body)
            await listener.hears(body)
        for person in (alice, bob):
            await expect(person.page.get_by_test_id("count")).to_have_text("2")
        await side_by_side(browser, [alice.page, bob.page], picture)


async def somebody(browser: Browser, base: str, name: str) -> Person:
    context = await browser.new_context(viewport=SIZE, locale="en-GB", device_scale_factor=1.5)
    person = Person(await context.new_page(), base)
    await person.page.goto(f"{base}/name/")
    await person.page.get_by_label("How others see you").fill(name)
    await person.page.get_by_role("main").get_by_role("button", name="Change").click()
    await person.page.wait_for_url(f"{base}/")
    return person


if __name__ == "__main__":
    asyncio.run(take(sys.argv[1].rstrip("/"), Path(sys.argv[2])))
