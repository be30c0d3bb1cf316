"""The site on a phone: installed, without a network, after a new release, and told of a mention while it is closed.

Chromium's own push service is out of reach here. So `subscribe` is a stand-in that names one of the test's, which reads
what the server has encrypted, and what it has read is handed to the browser's real service worker as a push.
"""

import asyncio
import json
import shutil
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Worker, expect

from browser import Arrive
from client import new_room
from servers.app import Image, Server, environment
from servers.line import Line
from servers.push import Push, PushService
from visitor import room_page

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SECONDS = 60.0
SUBSCRIBE = """
  const { endpoint, ...keys } = %s;
  let found = null;
  PushManager.prototype.getSubscription = async () => found;
  PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
    const raw = atob(applicationServerKey.replaceAll("-", "+").replaceAll("_", "/"));
    const key = Uint8Array.from(raw, (character) => character.charCodeAt(0)).buffer;
    const unsubscribe = async () => { found = null; return true; };
    const options = { applicationServerKey: key };
    return (found = { endpoint, options, unsubscribe, toJSON: () => ({ endpoint, keys }) });
  };
"""
CONTROLLED = """async () => {
  const controlled = new Promise((done) => navigator.serviceWorker.addEventListener("controllerchange", done));
  if (!navigator.serviceWorker.controller) await controlled;
}"""
STYLE = "document.querySelector('link[rel=stylesheet]').href"
KEPT = """async () => {
  const found = {};
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) found[request.url] = await (await cache.match(request)).text();
  }
  return found;
}"""
SHOWN = """async () => (await registration.getNotifications()).map(({ title, body, tag }) => ({ title, body, tag }))"""
ALONE = """async () => !(await clients.matchAll({ type: "window" })).length"""
CLICK = """async () => {
  const opened = [];
  clients.openWindow = async (url) => opened.push(url);
  const [notification] = await registration.getNotifications();
  const event = new NotificationEvent("notificationclick", { notification });
  const done = [];
  event.waitUntil = (promise) => done.push(promise);
  dispatchEvent(event);
  await Promise.all(done);
  return opened;
}"""


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    database = tmp_path_factory.mktemp("phone") / "db.sqlite3"
    return environment(DATABASE_URL=f"sqlite:///{database}", VAPID_KEY="ab" * 32, PUSH_PRIVATE="1")


@pytest.fixture(scope="module")
def server(image: Image, variables: dict[str, str]) -> Iterator[Server]:
    image.migrate(variables)
    process = image.ws("phone", variables)
    process.start()
    yield process
    process.stop()


@pytest.fixture
def service() -> Iterator[PushService]:
    with PushService() as running:
        yield running


async def comes(ask: Callable[[], Awaitable[Any]], what: str) -> Any:
    """What is asked for, as soon as there is some."""
    deadline = asyncio.get_running_loop().time() + SECONDS
    while not (found := await ask()):
        assert asyncio.get_running_loop().time() < deadline, f"no {what}"
        await asyncio.sleep(0.1)
    return found


async def worker_of(page: Page) -> Worker:
    """That which this page is controlled by."""
    await page.evaluate(CONTROLLED)
    return page.context.service_workers[-1]


async def deliver(page: Page, push: Push) -> None:
    """As the browser does with what its push service has sent it."""
    devtools = await page.context.new_cdp_session(page)
    found: list[Any] = []
    devtools.on("ServiceWorker.workerRegistrationUpdated", lambda told: found.extend(told["registrations"]))
    await devtools.send("ServiceWorker.enable")
    registered = comes(lambda: asyncio.sleep(0, found), "registration of the worker")
    registration = (await registered)[-1]["registrationId"]
    origin = await page.evaluate("location.origin")
    handed = {"origin": origin, "registrationId": registration, "data": json.dumps(push.told)}
    await devtools.send("ServiceWorker.deliverPushMessage", handed)


async def test_a_guest_on_a_phone_comes_back_to_the_message_by_a_push(
    server: Server, arrive: Arrive, service: PushService
) -> None:
    room, bob = new_room(), await arrive(server.url)
    carol = await arrive(server.url, permissions=["notifications"], **PHONE)
    await carol.page.add_init_script(SUBSCRIBE % json.dumps(service.subscription()))
    await bob.enter(room)
    await bob.say("hello")
    await carol.enter(room)
    await carol.say("back in a week")
    await carol.page.locator("#notify summary").click()
    await carol.page.get_by_role("button", name="Notify me on this device").click()
    await expect(carol.page.get_by_text("also while no page is open")).to_be_visible()
    name = await carol.page.locator("#you").inner_text()
    await carol.page.goto("about:blank")
    await bob.say(f"@{name} soup at noon")
    for number in range(60):
        await bob.say(f"and {number}")
    await comes(lambda: asyncio.sleep(0, service.pushes), "push")
    [push] = service.pushes
    assert "soup" not in str(push.told)
    await carol.page.goto(server.url)
    worker = await worker_of(carol.page)
    await deliver(carol.page, push)
    await deliver(carol.page, push)
    shown = await comes(lambda: worker.evaluate(SHOWN), "notification")
    assert [(one["title"], one["tag"]) for one in shown] == [(room, f"room/{room}")]
    assert shown[0]["body"].endswith("mentioned you")
    await carol.page.goto("about:blank")
    await comes(lambda: worker.evaluate(ALONE), "end of the page")
    [address] = await worker.evaluate(CLICK)
    await carol.page.goto(server.url + address)
    await expect(carol.page.locator("li:target .body")).to_have_text(f"@{name} soup at noon")
    await expect(carol.page.locator("li:target .body")).to_be_in_viewport()
    assert carol.problems == []


async def test_a_click_on_a_notification_shows_the_message_in_a_page_that_is_open(
    server: Server, arrive: Arrive
) -> None:
    room, alice = new_room(), await arrive(server.url)
    await alice.enter(room)
    for number in range(40):
        await alice.say(f"message {number}")
    await alice.box.fill("not sent yet")
    worker = await worker_of(alice.page)
    send = (
        "async (url) => (await clients.matchAll({ type: 'window' })).forEach((page) => page.postMessage({ open: url }))"
    )
    await worker.evaluate(send, f"{room_page(room)}?at=2#m2")
    await expect(alice.page.locator("#m2")).to_be_focused()
    await expect(alice.page.locator("#m2")).to_be_in_viewport()
    await expect(alice.box).to_have_value("not sent yet")
    other = new_room()
    async with alice.page.expect_navigation():
        await worker.evaluate(send, room_page(other))
    await alice.is_live()
    assert other in alice.page.url
    assert alice.problems == []


async def test_a_hidden_page_tells_of_a_mention_as_long_as_it_is_open(server: Server, arrive: Arrive) -> None:
    room, bob = new_room(), await arrive(server.url)
    alice = await arrive(server.url, permissions=["notifications"])
    await bob.enter(room)
    await alice.enter(room)
    await alice.say("hello")
    await alice.page.locator("#notify summary").click()
    await alice.page.get_by_role("button", name="Notify me on this device").click()
    await expect(alice.page.get_by_role("button", name="Stop notifying me")).to_be_focused()
    worker, name = await worker_of(alice.page), await alice.page.locator("#you").inner_text()
    await alice.page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    await bob.say("nothing for her")
    await bob.say(f"@{name} soup")
    shown = await comes(lambda: worker.evaluate(SHOWN), "notification")
    assert [(one["title"], one["body"]) for one in shown] == [(room, "You were mentioned")]
    await alice.page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")

    async def none() -> bool:
        return not await worker.evaluate(SHOWN)

    await comes(none, "end of the notification")


async def test_nothing_that_was_said_is_kept_and_without_a_network_the_page_says_so(
    server: Server, arrive: Arrive
) -> None:
    room = new_room()
    async with Line(server.port) as line:
        alice = await arrive(line.base_url)
        await alice.enter(room)
        await worker_of(alice.page)
        await alice.say("wonderful secret")
        name = await alice.page.locator("#you").inner_text()
        await alice.enter(room)
        await alice.page.goto(alice.base)
        await alice.page.goto(f"{alice.base}/search/?q=wonderful")
        kept = await alice.page.evaluate(KEPT)
        paths = {address.removeprefix(alice.base) for address in kept}
        assert {path for path in paths if not path.startswith("/static/")} == {"/offline/"}
        assert [path for path in paths if "rooms/room." in path]
        assert [path for path, text in kept.items() if room in text or name in text or "wonderful secret" in text] == []
        line.down()
        await alice.page.goto(alice.base + room_page(room))
        await expect(alice.page.get_by_role("heading", name="No network")).to_be_visible()
        styled = "getComputedStyle(document.querySelector('.bar')).display"
        assert await alice.page.evaluate(styled) == "flex"
        line.up()
        await alice.page.get_by_role("link", name="Try again").click()
        await alice.is_live()
        await alice.hears("wonderful secret")


async def test_a_page_of_the_release_before_finds_its_files(
    image: Image, server: Server, variables: dict[str, str], arrive: Arrive, tmp_path: Path
) -> None:
    shutil.copytree(image.app, app := tmp_path / "app", ignore=shutil.ignore_patterns("staticfiles"))
    with (app / "rooms/static/rooms/style.css").open("a") as style:
        style.write("\n.another-release {\n  color: red;\n}\n")
    collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"]
    await (await asyncio.create_subprocess_exec(*collect, cwd=app, env=variables)).wait()
    later = Server("later", [sys.executable, "-m", "realtime.serve"], app, variables)
    later.start()
    async with Line(server.port) as line:
        alice = await arrive(line.base_url)
        await alice.page.goto(alice.base)
        await worker_of(alice.page)
        before = await alice.page.evaluate(STYLE)
        line.down()
        line.target = later.port
        line.up()
        await alice.page.evaluate("async () => (await navigator.serviceWorker.ready).update()")

        async def two() -> bool:
            return len(await alice.page.evaluate("caches.keys()")) == 2

        await comes(two, "second release")
        other = await alice.page.context.new_page()
        await other.goto(alice.base)
        assert await other.evaluate(STYLE) != before
        assert await alice.page.evaluate("async (url) => (await fetch(url)).status", before) == 200
        assert await other.evaluate("getComputedStyle(document.querySelector('.bar')).display") == "flex"
        assert alice.problems == []
    later.stop()
