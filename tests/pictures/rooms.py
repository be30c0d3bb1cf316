"""The rooms: Nora's site on her desk and on her phone, by day and by night, and 小芳's in Chinese."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from playwright.async_api import Browser, Locator, Page, expect

from browser import Person

LONDON: Final[dict[str, Any]] = {"locale": "en-GB", "timezone_id": "Europe/London", "device_scale_factor": 1.5}
SHANGHAI: Final[dict[str, Any]] = LONDON | {"locale": "zh-CN", "timezone_id": "Asia/Shanghai"}
DESK: Final[dict[str, Any]] = {"viewport": {"width": 1240, "height": 680}}
PHONE: Final[dict[str, Any]] = {"viewport": {"width": 350, "height": 680}, "is_mobile": True, "has_touch": True}
NIGHT: Final[dict[str, Any]] = {"color_scheme": "dark"}

PASSWORD: Final = "two copies of the summer book"  # as in talk.py, which is run by the server's own shell

Keep = Callable[[list[Page], str], Awaitable[None]]


class Guest(Person):
    @property
    def box(self) -> Locator:
        return self.page.locator("#id_body")  # in any language


class Site:
    """Whoever arrives has a device of her own, and a name."""

    def __init__(self, browser: Browser, base: str) -> None:
        self._browser, self._base = browser, base

    async def arrive(self, name: str, **options: Any) -> Guest:
        person = await self._at(LONDON | options)
        await person.page.goto(f"{self._base}/name/")
        await person.page.locator("#id_name").fill(name)
        await person.page.locator("main form button").click()
        await person.page.wait_for_url(f"{self._base}/")
        return person

    async def at_another(self, person: Person, **options: Any) -> Guest:
        """The same person at another device."""
        return await self._at(LONDON | {"storage_state": await person.page.context.storage_state()} | options)

    async def _at(self, options: dict[str, Any]) -> Guest:
        return Guest(await (await self._browser.new_context(**options)).new_page(), self._base)


async def take(browser: Browser, base: str, keep: Keep) -> None:
    site = Site(browser, base)
    nora, samuel, jonas = [await site.arrive(name, **DESK) for name in ("Nora", "Samuel", "Jonas")]
    phone = await site.at_another(nora, **PHONE, **NIGHT)
    for room in ("Street-party", "Hiking", "Book-club"):
        await nora.enter(room)
        if room == "Hiking":
            await nora.say("Coffee is mine. Two flasks?")
    for person in (samuel, phone, jonas):
        await person.enter("Book-club")
    await nora.say("Perfect, Priya, I take it. Friday at mine, then?")
    await react(samuel, "Friday at mine", "🎉")
    await samuel.say("I bring bread 🍞 and the other book.")
    await nora.hears("I bring bread 🍞 and the other book.")
    await jonas.enter("Hiking")
    await jonas.say("Is there room for one more on Sunday?")
    await jonas.say("@Nora two, please!")
    await jonas.enter("Book-club")
    for person in (nora, phone):
        await expect(person.page).to_have_title("(@1) Book-club · Rooms")
        await expect(person.page.get_by_test_id("count")).to_have_text("3")
    await nora.box.fill("One more thing: who has got the key to the hall?")
    await keep([nora.page, phone.page], "conversation")
    await nora.box.fill("")

    night = await site.at_another(nora, **DESK, **NIGHT)
    await night.page.goto(f"{base}/")
    await expect(night.page).to_have_title("(@1) Rooms")
    await keep([night.page], "pictures/lobby")

    await night.page.set_viewport_size({"width": 900, "height": 560})
    await night.page.goto(f"{base}/search/?q=book")
    await expect(night.page.locator("mark").first).to_be_visible()
    await keep([night.page], "pictures/search")

    henrike = await site.arrive("Henrike's desk", **DESK)
    await henrike.page.set_viewport_size({"width": 900, "height": 720})
    await henrike.page.goto(f"{base}/accounts/login/?next=/room/Flea-market/order/")
    await henrike.page.get_by_label("Name").fill("Henrike")
    await henrike.page.get_by_label("Password").fill(PASSWORD)
    await henrike.page.get_by_role("button", name="Log in").click()
    await expect(henrike.page.get_by_role("heading", name="Keeping order in Flea-market")).to_be_visible()
    await keep([henrike.page], "pictures/order")

    xiaofang, chen = await site.arrive("小芳", **SHANGHAI, **PHONE), await site.arrive("陈伟", **SHANGHAI)
    reader = await site.at_another(xiaofang, **SHANGHAI, **PHONE)
    await xiaofang.enter("茶馆")
    await chen.enter("茶馆")
    await xiaofang.say("带上我！我准备茶和点心。")
    await reader.page.goto(f"{base}/")
    await expect(reader.page.locator(".own .listed")).to_have_count(1)
    await chen.say("好，那就四个人。")
    await chen.say("@小芳 记得带保温杯！")
    await xiaofang.say("带着呢，两壶热茶 🍵")
    await keep([reader.page, xiaofang.page], "pictures/chinese")


async def react(person: Person, body: str, sign: str) -> None:
    message = person.page.locator("#messages > li", has_text=body)
    await message.hover()
    await message.locator(".react").click()
    await message.locator(f'.picker [value="{sign}"]').click()
