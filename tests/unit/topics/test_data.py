"""What an event may carry."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from topics import BadData
from topics.data import MAX_DATA_BYTES, encoded


@pytest.mark.parametrize("data", [None, 0, 1.5, True, "", "你好 👋", [], {}, {"a": [1, {"b": None}]}, "\\u0000", "a\\"])
def test_what_json_has_comes_back_as_it_was(data: Any) -> None:
    assert json.loads(encoded(data)) == data


def test_what_models_hold_becomes_text() -> None:
    data = {"at": datetime(2026, 1, 2, tzinfo=UTC), "price": Decimal("1.50"), "key": UUID(int=5)}
    assert json.loads(encoded(data)) == {
        "at": "2026-01-02T00:00:00Z",
        "price": "1.50",
        "key": "00000000-0000-0000-0000-000000000005",
    }


def test_it_is_compact_and_readable() -> None:
    assert encoded({"a": "ü", "b": [1, 2]}) == '{"a":"ü","b":[1,2]}'


def test_as_much_as_fits_is_taken() -> None:
    assert len(encoded("a" * (MAX_DATA_BYTES - 2))) == MAX_DATA_BYTES


CIRCLE: list[Any] = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (object(), "must be JSON"),
        ({1, 2}, "must be JSON"),
        (float("nan"), "must be JSON"),
        (float("inf"), "must be JSON"),
        (CIRCLE, "must be JSON"),
        ({(1, 2): 3}, "must be JSON"),
        (b"bytes", "must be JSON"),
        ("a\x00b", "NUL"),
        ({"a\x00": 1}, "NUL"),
        ("\\\x00", "NUL"),
        ("\ud800", "surrogate"),
        ({"\udfff": 1}, "surrogate"),
        ("a" * MAX_DATA_BYTES, "bytes at most"),
        ("é" * (MAX_DATA_BYTES // 2), "bytes at most"),
    ],
)
def test_what_not_every_client_can_be_sent_is_refused_with_a_sentence(data: Any, sentence: str) -> None:
    with pytest.raises(BadData, match=sentence):
        encoded(data)
