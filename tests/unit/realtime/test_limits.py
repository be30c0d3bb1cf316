"""The bounds fit together, and the bucket lets through what it says."""

import pytest
from django.conf import settings

from realtime import limits
from realtime.limits import TokenBucket


def test_a_full_frame_fits_everywhere() -> None:
    assert min(limits.INBOX_BYTES, limits.OUTBOX_BYTES) >= limits.MAX_FRAME_BYTES


def test_what_waits_in_a_process_fits_beside_the_rest_of_it() -> None:
    smallest = 512 * 2**20  # what a small dyno has
    assert limits.OUTBOX_BYTES < limits.TIGHT_BYTES < limits.WAITING_BYTES
    as_it_was_encoded_and_framed = 2
    assert smallest / 2 > as_it_was_encoded_and_framed * limits.WAITING_BYTES + limits.MEMORY_BYTES
    assert limits.STUCK_SECONDS < limits.SLOW_SECONDS


def test_the_shortest_page_of_the_longest_messages_is_about_a_bundle() -> None:
    assert limits.REPLAY_LEAST_EVENTS * 4_000 <= limits.MAX_FRAME_BYTES
    assert limits.REPLAY_LEAST_EVENTS <= limits.REPLAY_EVENTS


def test_everybody_who_waits_at_the_door_may_be_accepted_at_once() -> None:
    assert limits.MAX_UNFINISHED >= 2 * limits.BACKLOG


def test_a_socket_that_floods_is_told_so_before_its_pongs_are_missed() -> None:
    assert limits.FLOOD_SECONDS + limits.REST_SECONDS < limits.PONG_SECONDS


def test_whoever_keeps_to_the_rate_of_messages_has_frames_to_spare() -> None:
    assert settings.FRAME_RATE >= 2 * settings.MESSAGE_RATE


def test_alice_may_say_her_burst_at_once_and_then_as_much_as_the_rate() -> None:
    bucket = TokenBucket(rate=50, burst=100)
    assert [bucket.take(1_000.0) for _ in range(100)] == [0.0] * 100
    assert bucket.take(1_000.0) == pytest.approx(1 / 50)
    assert bucket.take(1_000.0 + 1 / 50) == 0.0
    assert bucket.take(1_000.0 + 1 / 50) == pytest.approx(1 / 50)


def test_waiting_as_long_as_told_is_enough() -> None:
    bucket, now = TokenBucket(rate=3, burst=1), 5.0
    for _ in range(20):
        assert bucket.take(now) == 0.0
        now += bucket.take(now)


def test_being_refused_costs_nothing() -> None:
    bucket = TokenBucket(rate=1, burst=1)
    bucket.take(0.0)
    assert [bucket.take(0.5) for _ in range(10)] == [pytest.approx(0.5)] * 10
    assert bucket.take(1.0) == 0.0


def test_a_long_silence_saves_up_no_more_than_the_burst() -> None:
    bucket = TokenBucket(rate=10, burst=2)
    bucket.take(0.0)
    assert [bucket.take(1e6) > 0 for _ in range(3)] == [False, False, True]


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 5), (5, 0)])
def test_a_bucket_that_lets_nothing_through_is_refused(rate: int, burst: int) -> None:
    with pytest.raises(ValueError, match="lets nothing through"):
        TokenBucket(rate, burst)
