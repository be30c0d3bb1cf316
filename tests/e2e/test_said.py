"""What people do beside talking: they put signs on what was said, and send pictures and files, also on a bad train."""

import asyncio
import os
from io import BytesIO

import pytest
from PIL import Image
from playwright.async_api import Locator, expect

from browser import Arrive, Person
from client import new_room
from servers.line import Line
from servers.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="session")


def sign(person: Person, body: str, emoji: str) -> Locator:
    """The button beneath the message."""
    return person.stored(body).locator(f'.reactions .sign[value="{emoji}"]')


async def puts(person: Person, body: str, emoji: str) -> None:
    """By keyboard, from the message on."""
    await person.stored(body).get_by_role("link", name="React").press("Enter")
    choice = person.page.get_by_role("group", name="React")
    await expect(choice.get_by_role("button").first).to_be_focused()
    await choice.get_by_role("button", name=emoji).press("Enter")
    await expect(choice).to_have_count(0)
    await expect(person.stored(body).get_by_role("link", name="React")).to_be_focused()


async def name_of(person: Person) -> str:
    return await person.page.locator("#you").inner_text()


async def test_alice_and_bob_put_signs_on_a_message_and_each_sees_whose_they_are(site: str, arrive: Arrive) -> None:
    room, alice, bob = new_room(), await arrive(site), await arrive(site)
    await alice.enter(room)
    await bob.enter(room)
    await bob.say("Tea?")
    await alice.hears("Tea?")
    await puts(alice, "Tea?", "👍")
    first, second = await name_of(alice), await name_of(bob)
    await expect(sign(bob, "Tea?", "👍")).to_have_accessible_name(f"👍 {first}")
    await expect(sign(bob, "Tea?", "👍")).to_have_attribute("aria-pressed", "false")
    await sign(bob, "Tea?", "👍").click()
    for person in (alice, bob):
        await expect(sign(person, "Tea?", "👍")).to_have_text("👍 2")
        await expect(sign(person, "Tea?", "👍")).to_have_accessible_name(f"👍 {first}, {second}")
        await expect(sign(person, "Tea?", "👍")).to_have_attribute("aria-pressed", "true")
    await alice.stored("Tea?").get_by_role("link", name="React").press("Enter")
    await expect(alice.page.get_by_role("group", name="React").get_by_role("button", name="👍")).to_have_attribute(
        "aria-pressed", "true"
    )
    await alice.page.keyboard.press("Escape")
    await expect(alice.stored("Tea?").get_by_role("link", name="React")).to_be_focused()
    await sign(alice, "Tea?", "👍").press("Space")
    await expect(sign(bob, "Tea?", "👍")).to_have_accessible_name(f"👍 {second}")
    await alice.page.reload()
    await alice.is_live()
    await expect(sign(alice, "Tea?", "👍")).to_have_attribute("aria-pressed", "false")
    await sign(alice, "Tea?", "👍").click()
    await expect(sign(bob, "Tea?", "👍")).to_have_text("👍 2")
    await sign(alice, "Tea?", "👍").click()
    await sign(bob, "Tea?", "👍").click()
    await expect(sign(alice, "Tea?", "👍")).to_have_count(0)
    assert alice.problems == bob.problems == []


# --- Pictures and files ----------------------------------------------------------------------------------------


# Some of it is there, and mostly not all: the line is slow.
MIDST = "() => !(document.querySelector('#attached progress')?.value === 0)"


def picture() -> bytes:
    """Such that it is large whatever it is encoded by."""
    out = BytesIO()
    Image.frombytes("RGB", (600, 400), os.urandom(600 * 400 * 3)).save(out, "PNG")
    return out.getvalue()


def waiting(person: Person, name: str) -> Locator:
    return person.page.locator("#attached li", has_text=name)


async def is_seen(image: Locator) -> bool:
    return bool(await image.evaluate("image => image.complete && image.naturalWidth > 0"))


async def sees(person: Person, name: str) -> Locator:
    """The picture has come, and has as much room as it was given before."""
    image = person.page.locator("#messages").get_by_role("img", name=name)
    await image.scroll_into_view_if_needed()
    for _ in range(300):
        if await is_seen(image):
            break
        await asyncio.sleep(0.1)
    assert await is_seen(image), await image.get_attribute("src")
    box = await image.bounding_box()
    assert box
    assert (round(box["width"]), round(box["height"])) == (320, 214), box
    return image


async def test_alice_sends_a_picture_and_a_file_and_bob_sees_the_one_and_loads_the_other(
    site: str, arrive: Arrive
) -> None:
    room, alice, bob = new_room(), await arrive(site), await arrive(site)
    await alice.enter(room)
    await bob.enter(room)
    files = [
        {"name": "garden.png", "mimeType": "image/png", "buffer": picture()},
        {"name": "list.txt", "mimeType": "text/plain", "buffer": b"tea\n"},
    ]
    async with alice.page.expect_file_chooser() as choice:
        await alice.page.get_by_role("button", name="Attach files").click()
    await (await choice.value).set_files(files)
    await alice.write("look")
    await bob.hears("look")
    for person in (alice, bob):
        await sees(person, "garden.jpg")
    await expect(alice.page.locator("#attached")).to_be_hidden()
    async with bob.page.expect_download() as loading:
        await bob.stored("look").get_by_role("link", name="list.txt").click()
    loaded = await loading.value
    assert (loaded.suggested_filename, (await loaded.path()).read_bytes()) == ("list.txt", b"tea\n")
    await bob.page.reload()
    await sees(bob, "garden.jpg")
    await alice.box.fill("")
    await alice.box.evaluate(
        """box => {
          const data = new DataTransfer();
          data.items.add(new File(["pasted"], "pasted.txt", { type: "text/plain" }));
          box.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }"""
    )
    await expect(waiting(alice, "pasted.txt")).to_be_visible()
    await alice.page.get_by_role("button", name="Leave out pasted.txt").click()
    await expect(waiting(alice, "pasted.txt")).to_have_count(0)
    await alice.page.locator("#room").evaluate(
        """room => {
          const data = new DataTransfer();
          data.items.add(new File(["dropped"], "dropped.txt", { type: "text/plain" }));
          room.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        }"""
    )
    await expect(waiting(alice, "dropped.txt").locator("progress")).to_have_count(0)
    await alice.box.press("Enter")
    await expect(bob.page.get_by_role("link", name="dropped.txt")).to_be_visible()
    assert alice.problems == bob.problems == []


async def test_on_a_bad_train_alice_edits_reacts_and_attaches_and_nothing_is_lost(stack: Stack, arrive: Arrive) -> None:
    async with Line(stack.nginx.port) as line:
        room, alice, bob = new_room(), await arrive(line.base_url), await arrive(stack.base_url)
        await bob.enter(room)
        await bob.say("Where are you?")
        await alice.enter(room)
        await alice.say("On the trian")
        line.stall()
        await alice.page.locator("#id_files").set_input_files(
            {"name": "fields.png", "mimeType": "image/png", "buffer": picture()}
        )
        await alice.write("Out of the window")
        await expect(alice.page.locator("#sending")).to_be_visible()
        line.bytes_per_second = 100_000
        line.flow()
        await alice.page.wait_for_function(MIDST)
        line.down()
        await alice.state_is("waiting")
        await alice.stored("On the trian").get_by_role("link", name="Edit").press("Enter")
        await alice.write("On the train")
        await puts(alice, "Where are you?", "😂")
        await expect(sign(alice, "Where are you?", "😂")).to_have_class("sign waits")
        line.bytes_per_second = 2_000_000
        line.up()
        await bob.hears("On the train")
        await bob.hears("Out of the window")
        await sees(bob, "fields.jpg")
        await expect(sign(bob, "Where are you?", "😂")).to_have_text("😂 1")
        await expect(sign(alice, "Where are you?", "😂")).to_have_class("sign")
        await sees(alice, "fields.jpg")
        assert await bob.everything() == ["Where are you?", "On the train", "Out of the window"]


async def test_without_javascript_alice_sends_a_file_by_the_form(stack: Stack, arrive: Arrive) -> None:
    alice, bob, room = await arrive(stack.base_url, java_script_enabled=False), await arrive(stack.base_url), new_room()
    await bob.enter(room)
    await alice.page.goto(bob.page.url)
    await alice.page.get_by_label("Files", exact=True).set_input_files(
        {"name": "list.txt", "mimeType": "text/plain", "buffer": b"tea\n"}
    )
    await alice.page.get_by_role("button", name="Send").click()
    for person in (alice, bob):
        await expect(person.page.get_by_role("link", name="list.txt")).to_be_visible()
