"""A page that came by a slow line does not jump when its script arrives, and nothing covers what somebody writes in."""

import pytest
from playwright.async_api import expect

from browser import Arrive
from client import new_room
from servers.line import Line
from servers.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="session")

BYTES_PER_SECOND = 60_000
MOST_BYTES = 60_000  # of all that a room's page loads, as it comes over the line
WEIGHT = """() => performance.getEntriesByType("resource").filter(({ name }) => name.includes("/static/"))
  .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)"""
WATCH = """
  window.moved = [];
  new PerformanceObserver((list) => {
    for (const { value, sources, startTime } of list.getEntries()) {
      const names = sources.map(({ node, previousRect: from, currentRect: to }) =>
        `${node?.id || node?.className || node?.nodeName} ${from.y}→${to.y} ${from.height}→${to.height}`);
      window.moved.push({ value, startTime, names });
    }
  }).observe({ type: "layout-shift", buffered: true });
"""


@pytest.mark.parametrize("width", [360, 1280])
async def test_a_room_stands_still_while_its_script_comes(stack: Stack, arrive: Arrive, width: int) -> None:
    room, bob = new_room(), await arrive(stack.base_url)
    await bob.enter(room)
    for number in range(25):
        await bob.say(f"message {number}")
    async with Line(stack.nginx.port) as line:
        line.bytes_per_second = BYTES_PER_SECOND
        alice = await arrive(line.base_url, viewport={"width": width, "height": 740})
        await alice.page.add_init_script(WATCH)
        for visit in range(2):  # for the first time, and when she comes back
            await alice.enter(room)
            await expect(alice.page.get_by_test_id("count")).to_have_text("2")
            if not visit:
                assert 20_000 < await alice.page.evaluate(WEIGHT) < MOST_BYTES
            moved = await alice.page.evaluate("window.moved")
            assert sum(one["value"] for one in moved) < 0.02, moved
