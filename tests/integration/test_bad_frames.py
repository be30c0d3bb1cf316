"""A bad frame gets its error and the socket lives; ten in a row close it."""

import json

import pytest

from client import enter, new_id, new_room
from servers.stack import Stack

ID = "an-id-of-alice"
BAD = {
    "no JSON": ("hello", "bad_json"),
    "half of an object": ('{"type":"ping"', "bad_json"),
    "nothing": ("", "bad_json"),
    "too deep": ("[" * 30_000, "bad_json"),
    "a number": ("7", "bad_frame"),
    "an array": ('[{"type":"ping"}]', "bad_frame"),
    "no type": ('{"body":"hello"}', "bad_frame"),
    "a type that is no word": ('{"type":1}', "bad_frame"),
    "an unknown type": ('{"type":"shout"}', "unknown_type"),
    "a type only the server sends": ('{"type":"welcome"}', "unknown_type"),
    "no body": (json.dumps({"type": "message", "id": ID}), "bad_frame"),
    "an empty body": (json.dumps({"type": "message", "id": ID, "body": ""}), "bad_frame"),
    "a body that is no text": (json.dumps({"type": "message", "id": ID, "body": 5}), "bad_frame"),
    "a body with NUL": (json.dumps({"type": "message", "id": ID, "body": "a\0b"}), "bad_frame"),
    "half a surrogate pair": ('{"type":"message","id":"an-id-of-alice","body":"\\ud83c"}', "bad_frame"),
    "a body too long": (json.dumps({"type": "message", "id": ID, "body": "x" * 4001}), "too_long"),
    "an empty id": (json.dumps({"type": "message", "id": "", "body": "x"}), "bad_frame"),
    "an id too long": (json.dumps({"type": "message", "id": "x" * 65, "body": "x"}), "bad_frame"),
    "an id that is no text": (json.dumps({"type": "message", "id": 5, "body": "x"}), "bad_frame"),
    "an id with NUL": (json.dumps({"type": "message", "id": "\0", "body": "x"}), "bad_frame"),
    "half a pair as id": ('{"type":"message","id":"\\udf75","body":"x"}', "bad_frame"),
    "half a pair as type": ('{"type":"\\udf75"}', "unknown_type"),
    "half a pair as key": ('{"type":"message","id":"an-id-of-alice","\\ud83c":1}', "bad_frame"),
    "binary": (b'{"type":"ping"}', "bad_frame"),
    "empty binary": (b"", "bad_frame"),
}


@pytest.mark.parametrize(("frame", "code"), BAD.values(), ids=BAD.keys())
async def test_alice_is_told_what_is_wrong_and_stays(stack: Stack, frame: str | bytes, code: str) -> None:
    async with await enter(stack.ws_url, new_room()) as alice:
        await alice.send(frame)
        error = await alice.until(lambda answer: answer["type"] in ("error", "goodbye"), "an answer")
        assert error["code"] == code
        assert error["detail"]
        assert "retry_after_ms" not in error, "waiting helps nothing"
        if isinstance(frame, str) and ID in frame:
            assert error["id"] == ID
        assert (await alice.say("still here"))["seq"] == 1


async def test_an_id_of_64_characters_is_allowed(stack: Stack) -> None:
    async with await enter(stack.ws_url, new_room()) as alice:
        assert (await alice.say("x", "茶" * 64))["id"] == "茶" * 64


async def test_ten_bad_frames_in_a_row_close_the_socket_for_good(stack: Stack) -> None:
    async with await enter(stack.ws_url, new_room()) as alice:
        for _ in range(10):
            await alice.send("nonsense")
        assert await alice.closed() == 4400
        assert [frame["type"] for frame in alice.frames if frame["type"] in ("error", "goodbye")][-1] == "goodbye"
        assert alice.frames[-1]["reason"] == "bad_frames"


async def test_nine_bad_frames_again_and_again_are_forgiven(stack: Stack) -> None:
    async with await enter(stack.ws_url, new_room()) as alice:
        for _ in range(3):
            for _ in range(9):
                await alice.send("nonsense")
            await alice.pong()
        assert sum(frame["type"] == "error" for frame in alice.frames) == 27


async def test_who_talks_too_fast_is_told_when_to_go_on(stack: Stack) -> None:
    sentences = [f"sentence {number}" for number in range(160)]
    async with await enter(stack.ws_url, new_room()) as alice:
        ids = {new_id(): body for body in sentences}
        for id, body in ids.items():
            await alice.send({"type": "message", "id": id, "body": body})

        def answers() -> int:
            return sum(frame["type"] in ("ack", "error") for frame in alice.frames)

        first = await alice.error("rate_limited")
        assert first["id"] in ids
        assert 0 < first["retry_after_ms"] <= 5_000
        await alice.until(lambda _: answers() == len(ids), "an answer to each sentence")
        refused = {frame["id"] for frame in alice.frames if frame["type"] == "error"}
        assert 0 < len(refused) <= 60, "a burst of 100 is allowed, and 50 a second after it"
        acked = {frame["id"] for frame in alice.frames if frame["type"] == "ack"}
        assert acked == ids.keys() - refused, "refused is not said"
