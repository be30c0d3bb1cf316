"""The protocol, frame by frame: what a client may say, what it is told, and that all of it is good JSON."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.closing import LOGIN, RESTART
from realtime.limits import MAX_FRAME_BYTES
from realtime.presence.people import PEOPLE_IN_FRAME
from rooms import frames
from rooms.frames import MAX_BODY, Amend, Retract, Say, Typing, parse
from topics import wording
from topics.delivery import frames as topics_frames
from topics.delivery.joining import MEMBERS
from topics.delivery.resume import JOINED_BYTES
from topics.people import of_user, shown
from topics.wording import MAX_ID, BadFrame, Ping

AT = datetime(2025, 3, 4, 5, 6, 7, 89_999, UTC)


def say(**fields: Any) -> str:
    return json.dumps({"type": "message", "id": "1", "body": "hi"} | fields)


def refused(text: str) -> BadFrame:
    with pytest.raises(BadFrame) as info:
        parse(text)
    assert json.loads(frames.error(info.value.code, info.value.detail, info.value.id))
    assert frames.error(info.value.code, info.value.detail, info.value.id).encode()
    return info.value


# --- What may come in --------------------------------------------------------------------------------


def test_a_client_may_say_something_type_and_ping() -> None:
    assert parse(say()) == Say(type="message", id="1", body="hi")
    assert parse('{"type":"typing"}') == Typing(type="typing")
    assert parse('{"type":"ping","since":3}') == Ping(type="ping")


@pytest.mark.parametrize("body", ["x", "x" * MAX_BODY, "🙂" * MAX_BODY, "你好，世界", "नमस्ते", "\n\t\u202e", '"\\'])
def test_a_body_is_1_to_4000_characters_of_any_script(body: str) -> None:
    assert parse(say(body=body)).body == body  # type: ignore[union-attr]


def test_a_client_may_change_and_remove_what_it_has_said() -> None:
    assert parse('{"type":"amend","id":"1","seq":4,"body":"hi"}') == Amend(type="amend", id="1", seq=4, body="hi")
    assert parse('{"type":"retract","id":"1","seq":4}') == Retract(type="retract", id="1", seq=4)
    assert len(parse('{"type":"retract","seq":4}').id) >= 16  # type: ignore[union-attr]


@pytest.mark.parametrize("seq", [0, -1, "4", 1.5, True, None, 2**63, []])
@pytest.mark.parametrize("type", ["amend", "retract"])
def test_what_has_no_number_cannot_be_changed(type: str, seq: Any) -> None:
    refusal = refused(json.dumps({"type": type, "id": "1", "seq": seq, "body": "hi"}))
    assert (refusal.code, refusal.id) == ("bad_frame", "1")


def test_other_words_are_1_to_4000_characters_too() -> None:
    assert refused('{"type":"amend","seq":1,"body":""}').code == "bad_frame"
    assert refused(json.dumps({"type": "amend", "seq": 1, "body": "x" * (MAX_BODY + 1)})).code == "too_long"


@pytest.mark.parametrize("id", ["a", "a" * MAX_ID, "🙂" * MAX_ID, " "])
def test_an_id_is_1_to_64_characters(id: str) -> None:
    assert parse(say(id=id)).id == id  # type: ignore[union-attr]


def test_who_types_by_hand_gets_an_id_each_time_another() -> None:
    first, second = (parse('{"type":"message","body":"hi"}') for _ in range(2))
    assert len(first.id) >= 16  # type: ignore[union-attr]
    assert first.id != second.id  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hi",
        "{",
        '{"type":"ping"}x',
        "{'type':'ping'}",
        "[" * 60_000,
        '{"a":' * 10_000,
        f'{{"type":"ping","n":{"9" * 10_000}}}',
        '{"type":"ping","n":NaN}',
        '{"type":"ping","n":-Infinity}',
        '{"type":"message","body":"a\nb"}',
    ],
)
def test_what_is_no_json_is_bad_json(text: str) -> None:
    assert refused(text).code == "bad_json"


@pytest.mark.parametrize(
    "text", ["[]", "1", "null", '"ping"', "{}", '{"type":1}', '{"type":null}', '{"type":["ping"]}']
)
def test_what_is_no_object_with_a_type_is_a_bad_frame(text: str) -> None:
    assert refused(text).code == "bad_frame"


@pytest.mark.parametrize("type", ["", "Message", "welcome", "\ud800", "__class__"])
def test_an_unknown_type_is_named_so(type: str) -> None:
    refusal = refused(json.dumps({"type": type, "id": "7"}))
    assert (refusal.code, refusal.id) == ("unknown_type", "7")


@pytest.mark.parametrize("body", ["", None, 1, ["hi"], "a\x00b", "\ud800", "a\udfffb"])
def test_a_body_that_cannot_be_stored_is_a_bad_frame_that_names_the_message(body: Any) -> None:
    refusal = refused(say(body=body))
    assert (refusal.code, refusal.id) == ("bad_frame", "1")
    assert "body" in refusal.detail


def test_a_message_without_a_body_is_a_bad_frame() -> None:
    assert refused('{"type":"message","id":"1"}').code == "bad_frame"


@pytest.mark.parametrize("body", ["x" * (MAX_BODY + 1), "🙂" * (MAX_BODY + 1)])
def test_a_body_of_4001_characters_is_too_long(body: str) -> None:
    refusal = refused(say(body=body))
    assert (refusal.code, refusal.id) == ("too_long", "1")


@pytest.mark.parametrize("id", ["", "a" * (MAX_ID + 1), None, 1, True, {}, "a\x00", "\ud800"])
def test_an_id_out_of_bounds_is_a_bad_frame(id: Any) -> None:
    assert refused(say(id=id)).code == "bad_frame"


def test_an_id_that_utf_8_cannot_carry_is_not_sent_back() -> None:
    assert refused(say(id="\ud800")).id is None
    assert refused(say(id="a" * 65)).id is None


def test_of_a_name_given_twice_the_last_counts_as_in_every_browser() -> None:
    assert parse('{"type":"typing","type":"ping"}') == Ping(type="ping")


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["type", "id", "body", "x"]), inner),
    )
)
def test_whatever_comes_is_a_frame_or_refused_in_words(anything: Any) -> None:
    try:
        parse(json.dumps(anything))
    except BadFrame as refusal:
        frames.error(refusal.code, refusal.detail, refusal.id).encode()


@pytest.mark.parametrize("character", ["x", "语", "🙂"])
def test_a_long_body_is_not_looked_through_in_python(character: str) -> None:
    text = say(body=character * MAX_BODY)
    assert steps(lambda: parse(text)) < 50


def steps(work: Callable[[], Any]) -> int:
    """Calls of Python functions, and resumptions of generators, that the work consists of."""
    found: list[str] = []
    sys.setprofile(lambda frame, event, argument: found.append(event) if event == "call" else None)
    try:
        work()
    finally:
        sys.setprofile(None)
    return len(found)


# --- What goes out -----------------------------------------------------------------------------------


ALICE = {"key": "0123456789abcdef", "name": "alice", "guest": False}


def event(
    data: Any = None, by: dict[str, Any] | None = ALICE, id: str = "a", topic: str = "room/lobby", **more: Any
) -> str:
    """As the log of a room's topic is told to its followers."""
    text = json.dumps({"body": "hi"} if data is None else data, ensure_ascii=False, separators=(",", ":"))
    return topics_frames.event(topic, 1, id, by, text, AT, **more)


def message(body: str = "hi", name: str = "alice", id: str = "a") -> str:
    return frames.translated(event({"body": body}, ALICE | {"name": name}, id))


def welcome(messages: list[str], members: list[dict[str, Any]]) -> str:
    return frames.welcome(
        room="语" * 64,
        you=members[0],
        key="0123456789abcdef",
        epoch="0123456789abcdef",
        seq=2**53,
        recovered=False,
        messages=messages,
        members=frames.people(members),
        member_count=10_000,
        ping_seconds=20,
        limits={"body": MAX_BODY, "per_second": 50, "burst": 100},
    )


def test_a_message_frame_has_everything_the_protocol_names() -> None:
    assert frames.translated(event()) == (
        '{"type":"message","seq":1,"id":"a","user":{"key":"0123456789abcdef","name":"alice","guest":false},"body":"hi",'
        '"at":"2025-03-04T05:06:07.089Z"}'
    )


NASTY = [
    '","by":{"key":"',
    '},"data":{"body":"',
    '"},"at":"',
    '","',
    '\\","',
    ',"seq":9',
    '"',
    "\\",
    "}",
    "\u2028",
    "你好🙂",
]


@given(
    body=st.one_of(st.text(min_size=1), st.sampled_from(NASTY)),
    name=st.one_of(st.text(), st.sampled_from(NASTY)),
    id=st.one_of(st.text(min_size=1), st.sampled_from(NASTY)),
    topic=st.one_of(st.just("room/lobby"), st.sampled_from(NASTY)),
    more=st.sampled_from(["", ',"epoch":"0123456789abcdef"']),
)
def test_whatever_is_said_stays_as_it_is_in_rooms_own_words(
    body: str, name: str, id: str, topic: str, more: str
) -> None:
    said = event({"body": body}, ALICE | {"name": name}, id, topic, more=more)
    assert frames.translated(said) == frames.message(1, id, ALICE | {"name": name}, body, "2025-03-04T05:06:07.089Z")


def test_what_a_program_has_appended_changed_or_taken_back_keeps_its_number() -> None:
    bob = {"key": "f" * 16, "name": "bob", "guest": True}
    nobody = {"key": "", "name": "", "guest": False}
    gone = ',"retracted":true'
    cases: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
        (event(by=None), nobody, "hi", {}),
        (event("no object"), ALICE, "", {}),
        (event({"body": 5}), ALICE, "", {}),
        (event({"body": "hi", "more": "x"}), ALICE, "hi", {}),
        (event({"body": "hi", "edited": True}), ALICE, "hi", {"edited": True}),
        (topics_frames.event("room/lobby", 1, "a", ALICE, "null", AT, more=gone), ALICE, "", {"retracted": True}),
        (topics_frames.change("room/lobby", 1, 1, bob, '{"body":"ho"}', AT), bob, "ho", {"about": 1}),
        (topics_frames.change("room/lobby", 1, 1, bob, None, AT), bob, "", {"about": 1, "retracted": True}),
    ]
    for frame, user, body, more in cases:
        told = json.loads(frames.translated(frame))
        assert told["type"] == "message"
        assert (told["seq"], told["user"], told["body"]) == (1, user, body)
        assert {name: told[name] for name in set(told) - {"type", "seq", "id", "user", "body", "at"}} == more


def test_of_signals_only_typing_has_a_word() -> None:
    typing = topics_frames.signal("room/lobby", ALICE, '{"typing":true}')
    assert frames.translated(typing) == (
        '{"type":"typing","user":{"key":"0123456789abcdef","name":"alice","guest":false}}'
    )
    assert frames.translated(topics_frames.signal("room/lobby", ALICE, '{"x":1}')) == ""
    assert frames.translated(topics_frames.unread("room/lobby", 3)) == ""


def test_people_come_and_go_as_topics_show_them() -> None:
    crowd = [ALICE | {"name": name} for name in ("alice", '{"key":"ff",', '"')]
    told = json.loads(frames.translated(topics_frames.presence("room/lobby", crowd, [ALICE], 7)))
    assert told == {
        "type": "presence",
        "joined": crowd,
        "left": [ALICE],
        "member_count": 7,
    }


def test_the_last_number_is_told_without_its_epoch() -> None:
    assert frames.translated(topics_frames.seq('room/,"seq":', 7, "e")) == '{"type":"seq","seq":7}'


def test_who_says_much_at_once_is_worded_once_and_so_is_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[Any] = []
    encode = wording.encode
    monkeypatch.setattr(frames, "encode", lambda part: encoded.append(part) or encode(part))
    wording.timestamp.cache_clear()
    said = event()
    for number in range(100):
        frames.translated(said)
        frames.ack(f"{number}", 1, AT)
    assert encoded == []  # an id is a text alone; a message is cut, and not worded anew
    assert wording.timestamp.cache_info().misses == 1


def test_text_is_sent_unescaped() -> None:
    assert "你好🙂" in message("你好🙂")


def test_a_welcome_is_one_object_with_its_messages_in_place() -> None:
    alice = ALICE
    found = json.loads(welcome([message(), message().replace('"seq":1', '"seq":2')], [alice]))
    assert list(found)[:9] == ["type", "room", "you", "key", "epoch", "seq", "recovered", "messages", "members"]
    assert list(found)[9:] == ["member_count", "ping_seconds", "limits"]
    assert found["type"] == "welcome"
    assert [message["seq"] for message in found["messages"]] == [1, 2]
    assert found["members"] == [alice]
    assert json.loads(welcome([], [alice]))["messages"] == []


def longest_person() -> dict[str, Any]:
    user = SimpleNamespace(pk=1, get_username=lambda: "𠀀" * 150)
    return shown(of_user(user)) or {}


def test_the_longest_welcome_fits_one_frame_also_as_an_array() -> None:
    longest = message("𠀀" * MAX_BODY, "𠀀" * 150)
    messages = wording.fitting([longest] * 50 + [message("x")] * 200, JOINED_BYTES)
    text = welcome(messages, [longest_person()] * MEMBERS)
    assert len(text.encode()) + 2 <= MAX_FRAME_BYTES


def test_the_longest_news_of_who_came_and_went_fit_one_frame() -> None:
    crowd = [shown(of_user(SimpleNamespace(pk=1, get_username=lambda: "𠀀" * 150))) or {}] * PEOPLE_IN_FRAME
    told = frames.translated(topics_frames.presence("room/lobby", crowd, crowd, 10_000))
    assert len(told.encode()) + 2 <= MAX_FRAME_BYTES


def test_the_longest_message_fits_one_frame() -> None:
    frame = message("\x01" * MAX_BODY, "𠀀" * 150, id="\x01" * MAX_ID)
    assert len(frame.encode()) + 2 <= MAX_FRAME_BYTES


def test_answers() -> None:
    assert json.loads(frames.ack("a", 3, AT)) == {"type": "ack", "id": "a", "seq": 3, "at": "2025-03-04T05:06:07.089Z"}
    assert json.loads(frames.error("bad_json", "no")) == {"type": "error", "code": "bad_json", "detail": "no"}
    assert json.loads(frames.error("rate_limited", "slow", "a", 0)) == {
        "type": "error",
        "code": "rate_limited",
        "detail": "slow",
        "id": "a",
        "retry_after_ms": 0,
    }
    assert json.loads(wording.PONG) == {"type": "pong"}


def test_a_goodbye_says_why_and_how_long_to_stay_away() -> None:
    assert json.loads(RESTART.frame()) == {"type": "goodbye", "reason": "restart", "after_ms": 500}
    assert json.loads(LOGIN.frame()) == {"type": "goodbye", "reason": "login_required", "after_ms": 0}


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2025, 1, 1, tzinfo=UTC), "2025-01-01T00:00:00.000Z"),
        (datetime(2025, 1, 1, 0, 0, 0, 999_999, UTC), "2025-01-01T00:00:00.999Z"),
        (datetime(2025, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))), "2024-12-31T23:00:00.000Z"),
    ],
)
def test_times_are_utc_with_milliseconds(at: datetime, text: str) -> None:
    assert wording.timestamp(at) == text


def test_what_fits_is_counted_in_bytes_from_the_front() -> None:
    assert wording.fitting(["é" * 4, "b", "c"], 11) == ["é" * 4, "b"]
    assert wording.fitting(["éé", "b"], 4) == []
    assert wording.fitting([], 4) == []
