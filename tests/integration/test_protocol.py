"""`rooms.v1` as a client sees it: welcome, messages and their ids, typing, ping, batches."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta

from client import Frame, Socket, enter, meet, new_id, new_room
from servers.stack import Stack
from visitor import Visitor


async def test_welcome_tells_alice_everything_she_needs(stack: Stack) -> None:
    room = new_room()
    async with await enter(stack.ws_url, room) as alice:
        welcome = alice.welcome
    assert welcome["room"] == room
    assert_is_person(welcome["you"])
    assert welcome["you"]["guest"] is True
    assert isinstance(welcome["epoch"], str)
    assert welcome["epoch"]
    assert (welcome["seq"], welcome["recovered"], welcome["messages"]) == (0, False, [])
    assert welcome["limits"] == {"body": 4000, "per_second": 50, "burst": 100}
    assert 0 < welcome["ping_seconds"] <= 20


async def test_a_message_is_acknowledged_and_heard_by_its_sender_too(stack: Stack) -> None:
    room, id = new_room(), new_id()
    before = datetime.now(UTC) - timedelta(seconds=1)
    async with await enter(stack.ws_url, room) as alice, await enter(stack.ws_url, room) as bob:
        ack = await alice.say("good morning", id)
        message = await alice.hears("good morning")
        assert await bob.hears("good morning") == message
    assert ack == {"type": "ack", "id": id, "seq": 1, "at": message["at"]}
    assert message == {
        "type": "message",
        "seq": 1,
        "id": id,
        "user": alice.welcome["you"]
        | {"key": message["user"]["key"]},  # without a cookie it is that of all who have none
        "body": "good morning",
        "at": message["at"],
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", message["at"])
    assert before < datetime.fromisoformat(message["at"]) < datetime.now(UTC) + timedelta(seconds=1)


async def test_who_has_said_something_changes_and_removes_it_and_nobody_else_does(stack: Stack) -> None:
    room, browser = new_room(), Visitor(stack.base_url)
    await asyncio.to_thread(browser.get, "/")
    alice = await enter(stack.ws_url, room, headers=browser.cookies)
    async with alice, await enter(stack.ws_url, room) as bob:
        seq = (await alice.say("my secret"))["seq"]
        await bob.send({"type": "amend", "seq": seq, "body": "forged"})
        await bob.error("forbidden")
        await bob.send({"type": "retract", "seq": seq})
        await bob.until(lambda _: sum(frame["type"] == "error" for frame in bob.frames) == 2, "another error")
        await alice.send({"type": "amend", "id": "change", "seq": seq, "body": "nothing"})
        changed = await bob.until(lambda frame: frame.get("about") == seq, "the change")
        assert (changed["body"], changed["user"]) == ("nothing", alice.welcome["you"])
        ack = await alice.until(lambda frame: frame.get("id") == "change" and frame["type"] == "ack", "its ack")
        assert (ack["seq"], ack["at"]) == (None, None)
        async with await enter(stack.ws_url, room) as carol:
            assert carol.bodies()[0] == "nothing"
            assert carol.messages()[0]["edited"] is True
        await alice.send({"type": "retract", "seq": seq})
        removed = await bob.until(lambda frame: frame.get("retracted"), "the removal")
        assert (removed["about"], removed["body"]) == (seq, "")
        await alice.send({"type": "amend", "seq": seq, "body": "back"})
        await alice.error("bad_frame")
    async with await enter(stack.ws_url, room) as carol:
        assert carol.bodies() == ["", "", ""], "the message, its change and its removal have a number each"
        assert all(message["retracted"] for message in carol.messages())


async def test_a_message_answers_one_of_the_same_room_also_where_that_is_edited_or_removed(stack: Stack) -> None:
    room, browser = new_room(), Visitor(stack.base_url)
    await asyncio.to_thread(browser.get, "/")
    alice = await enter(stack.ws_url, room, headers=browser.cookies)
    async with alice, await enter(stack.ws_url, room) as bob:
        seq = (await bob.say("Tea?"))["seq"]
        await alice.send({"type": "message", "id": "answer", "body": "Yse", "reply": seq})
        answer = await bob.hears("Yse")
        assert answer["reply"] == seq
        await alice.send({"type": "message", "id": "answer", "body": "Yse", "reply": answer["seq"]})
        assert (await alice.error("bad_frame"))["id"] == "answer", "the same answers something else"
        await alice.send({"type": "amend", "seq": answer["seq"], "body": "Yes"})
        assert (await bob.hears("Yes"))["reply"] == seq
        await alice.send({"type": "message", "id": "nothing", "body": "Yes", "reply": 99})
        refused = await alice.until(lambda frame: frame.get("id") == "nothing", "the error")
        assert (refused["type"], refused["code"]) == ("error", "bad_frame")
        gone = (await alice.say("and cake?"))["seq"]
        await alice.send({"type": "retract", "seq": gone})
        await bob.until(lambda frame: frame.get("retracted"), "the removal")
        await bob.send({"type": "message", "body": "no cake", "reply": gone})
        assert (await alice.hears("no cake"))["reply"] == gone
    async with await enter(stack.ws_url, room) as carol:
        replies = {message["seq"]: message.get("reply") for message in carol.messages()}
        assert replies == {1: None, 2: seq, 3: seq, 4: None, 5: None, 6: gone}


async def test_the_same_id_again_is_the_same_message(stack: Stack) -> None:
    room, id = new_room(), new_id()
    async with await enter(stack.ws_url, room) as alice, await enter(stack.ws_url, room) as bob:
        first = await alice.say("once", id)
        assert await retry(alice, "once", id) == first
        assert await retry(bob, "once", id) == first
        await bob.say("next")
        await alice.hears("next")
        assert alice.bodies() == ["once", "next"]
    assert stack.database.messages(room)[0] == (1, id, "once")


async def test_the_same_id_for_something_else_is_refused(stack: Stack) -> None:
    id = new_id()
    async with await enter(stack.ws_url, new_room()) as alice:
        await alice.say("the first", id)
        await alice.send({"type": "message", "id": id, "body": "another"})
        assert (await alice.error("bad_frame"))["id"] == id
        assert (await alice.say("the second"))["seq"] == 2
        await alice.hears("the second")
        assert alice.bodies() == ["the first", "the second"]


async def test_an_id_means_something_only_in_its_room(stack: Stack) -> None:
    id = new_id()
    async with await enter(stack.ws_url, new_room()) as here, await enter(stack.ws_url, new_room()) as there:
        assert (await here.say("here", id))["seq"] == 1
        assert (await there.say("there", id))["seq"] == 1


async def test_who_types_by_hand_needs_no_id(stack: Stack) -> None:
    async with await enter(stack.ws_url, new_room()) as alice:
        await alice.send({"type": "message", "body": "by hand"})
        message = await alice.hears("by hand")
        ack = await alice.of_type("ack")
    assert 0 < len(message["id"]) <= 64
    assert (ack["id"], ack["seq"]) == (message["id"], 1)


async def test_bodies_arrive_as_they_were_written(stack: Stack) -> None:
    bodies = ["नमस्ते, क्या हाल है?", "你好", "👩‍👩‍👧 🍵", "a\nb\tc", '"\\</script>', "é", "\u2028", "\x7f"]
    async with (
        await enter(stack.ws_url, new_room()) as alice,
        await enter(stack.ws_url, alice_room(alice)) as bob,
    ):
        for body in bodies:
            await alice.say(body)
        await bob.hears(bodies[-1])
        assert bob.bodies() == bodies
        assert not any("\\u4f60" in text for text in bob.received), "text goes out unescaped"


async def test_a_body_may_have_4000_characters_of_any_width(stack: Stack) -> None:
    async with await enter(stack.ws_url, new_room()) as alice:
        await alice.say("🍵" * 4000)
        await alice.hears("🍵" * 4000)


async def test_typing_is_seen_by_others_only(stack: Stack) -> None:
    room = new_room()
    async with await enter(stack.ws_url, room) as alice, await enter(stack.ws_url, room) as bob:
        await meet(alice, bob)
        await alice.send({"type": "typing"})
        assert (await bob.of_type("typing"))["user"] == alice.welcome["you"]
        await bob.send({"type": "typing"})
        await alice.of_type("typing")
        assert users_typing(alice) == [bob.welcome["you"]]
        assert users_typing(bob) == [alice.welcome["you"]]


async def test_ping_is_answered(stack: Stack) -> None:
    async with await enter(stack.ws_url, new_room()) as alice:
        await alice.send({"type": "ping"})
        assert await alice.of_type("pong") == {"type": "pong"}


async def test_with_the_batch_subprotocol_every_frame_is_an_array(stack: Stack) -> None:
    room = new_room()
    async with await enter(stack.ws_url, room, batch=True) as alice, await enter(stack.ws_url, room) as bob:
        assert alice.connection.subprotocol == "rooms.v1.batch"
        assert bob.connection.subprotocol is None
        for number in range(50):
            await bob.send({"type": "message", "id": new_id(), "body": f"{number}"})
        await alice.until(lambda frame: frame.get("seq") == 50, "message 50")
        await alice.pong()
        await bob.until(lambda frame: frame.get("seq") == 50 and frame["type"] == "message", "message 50")
        assert alice.messages() == bob.messages()
    batches = [json.loads(text) for text in alice.received]
    assert all(isinstance(batch, list) and batch for batch in batches)
    assert all(isinstance(json.loads(text), dict) for text in bob.received)


async def retry(who: Socket, body: str, id: str) -> Frame:
    """Say it again under the same id, and return the answer to this very try."""
    acks = sum(frame["type"] == "ack" for frame in who.frames)
    await who.send({"type": "message", "id": id, "body": body})
    await who.until(lambda _: sum(frame["type"] == "ack" for frame in who.frames) > acks, "another ack")
    return [frame for frame in who.frames if frame["type"] == "ack"][-1]


def alice_room(alice: Socket) -> str:
    return str(alice.welcome["room"])


def users_typing(who: Socket) -> list[Frame]:
    return [frame["user"] for frame in who.frames if frame["type"] == "typing"]


def assert_is_person(person: Frame) -> None:
    assert person.keys() == {"key", "name", "guest"}
    assert isinstance(person["name"], str)
    assert person["name"]
