"""小芳 reads Chinese, on a phone in Shanghai; alice writes from London."""

import re

import pytest
from playwright.async_api import Page, expect

from browser import Arrive
from client import new_room
from servers.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONE = {"viewport": {"width": 390, "height": 780}, "is_mobile": True, "has_touch": True}
OUTSIDE = """() => [...document.querySelectorAll("body *")].filter((element) => {
  const { left, right, width } = element.getBoundingClientRect();
  const isOutside = width > 1 && (left < -1 || right > innerWidth + 1);
  return isOutside && element.checkVisibility() && !element.closest("#members"); // which is scrolled where it is narrow
}).map((element) => element.outerHTML.slice(0, 99))"""


async def test_a_chinese_guest_meets_no_english_on_her_phone(stack: Stack, arrive: Arrive) -> None:
    base, room = stack.base_url, new_room()
    alice = await arrive(base)
    xiaofang = await arrive(base, locale="zh-CN", timezone_id="Asia/Shanghai", **PHONE)
    page = xiaofang.page
    await page.goto(base)
    await expect(page.get_by_role("heading", level=1)).to_have_text("房间")
    await page.get_by_label("打开或新建房间").fill(room)
    await page.get_by_role("button", name="打开", exact=True).click()
    await xiaofang.is_live()
    await expect(page.get_by_test_id("connection")).to_contain_text("已连接")
    await expect(page.get_by_text("这里还没有消息。")).to_be_visible()
    box = page.get_by_role("textbox", name="消息")
    await page.get_by_role("button", name="发送").click()
    await expect(page.get_by_role("alert")).to_have_text("请先写点什么。")
    await box.fill("长" * 4_001)
    await box.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("这条消息有 4001 个字符，最多 4000 个。")
    await box.fill("早上好")
    await box.press("Enter")
    await alice.enter(room)
    await alice.hears("早上好")
    await alice.say("Good morning")
    await xiaofang.hears("Good morning")
    await expect(page.locator("#people")).to_contain_text("2 人在线")
    await expect(page.locator(".day").first).to_have_text(re.compile(r"^\d{4}年\d+月\d+日星期.$"))
    time = page.locator("#messages .time").first
    assert await time.inner_text() == await time.evaluate(
        "(time) => new Date(time.dateTime).toLocaleTimeString('zh-CN', "
        "{ hour: '2-digit', minute: '2-digit', timeZone: 'Asia/Shanghai' })"
    )
    await page.context.set_offline(True)
    await expect(page.get_by_test_id("connection")).to_contain_text("网络已断开")
    await page.context.set_offline(False)
    await xiaofang.is_live()
    words = await page.locator("body").inner_text()
    for name in ("Good morning", room, *re.findall(r"[A-Z][a-z]+ \d{3}", words)):
        words = words.replace(name, "")
    assert re.findall(r"[A-Za-z]{2,}", words) == []
    assert xiaofang.problems == []


async def test_she_chooses_english_and_keeps_it(stack: Stack, arrive: Arrive) -> None:
    room = new_room()
    xiaofang = await arrive(stack.base_url, locale="zh-CN", **PHONE)
    page = xiaofang.page
    await xiaofang.enter(room)
    await page.get_by_test_id("languages").click()
    await page.get_by_role("button", name="English").click()
    await expect(page.get_by_role("button", name="Send")).to_be_visible()
    assert room in page.url
    await page.goto(stack.base_url)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Rooms")
    assert xiaofang.problems == []


@pytest.mark.parametrize("size", [(320, 640), (1200, 800)])
async def test_nothing_leaves_a_page_that_is_read_from_right_to_left(
    stack: Stack, arrive: Arrive, size: tuple[int, int]
) -> None:
    alice, bob = await arrive(stack.base_url), await arrive(stack.base_url)
    room = new_room()
    await bob.enter(room)
    await bob.say("שלום, what is new?")
    page = alice.page
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    await alice.enter(room)
    await alice.say("hello")
    await turn(page)
    assert await page.evaluate(OUTSIDE) == []
    theirs, own = [page.locator(f".message{which} .body").first for which in (":not(.mine)", ".mine")]
    assert await middle(own) < await middle(theirs)
    for summary in ("languages", "you"):
        await page.get_by_test_id(summary).click()
        assert await page.evaluate(OUTSIDE) == []
        await page.get_by_test_id(summary).click()
    for path in ("/", "/search/", "/accounts/login/"):
        await page.goto(stack.base_url + path)
        await turn(page)
        assert await page.evaluate(OUTSIDE) == []


async def turn(page: Page) -> None:
    await page.evaluate("document.documentElement.dir = 'rtl'")


async def middle(element: object) -> float:
    box = await element.bounding_box()  # type: ignore[attr-defined]
    return float(box["x"] + box["width"] / 2)
