"""How people of the load go on talking."""

from typing import Any, cast

from bench.people.hearing import Hearing
from bench.people.talk import Talk
from unit.bench.people.frames import frame, message, welcome


class Speaker(Hearing):
    def __init__(self) -> None:
        super().__init__("tea")
        self.said: list[str] = []
        self.hear(welcome())

    def say(self, id: str, body: str) -> None:
        self.said.append(id)


def talking(in_flight: int) -> tuple[Talk, Speaker, Speaker]:
    """Alice is the only one who writes."""
    alice, bob = Speaker(), Speaker()
    talk = Talk(cast(Any, [alice, bob]))
    talk.begin(cast(Any, [alice]), in_flight)
    return talk, alice, bob


def test_so_many_messages_are_under_way() -> None:
    talk, alice, bob = talking(3)
    assert len(alice.said) == talk.under_way == 3
    assert bob.said == []


def test_the_next_one_is_said_when_one_is_acknowledged_and_heard_by_its_author() -> None:
    talk, alice, bob = talking(1)
    (id,) = alice.said
    alice.hear(frame("ack", id=id, seq=1))
    bob.hear(message(1, id))
    assert len(alice.said) == 1
    alice.hear(message(1, id))
    assert len(alice.said) == 2
    assert talk.acked == {id: 1}
    assert len(talk.ack_seconds) == 1
    assert len(talk.deliver_seconds) == 2


def test_a_second_ack_is_wrong() -> None:
    _, alice, _ = talking(1)
    (id,) = alice.said
    alice.hear(frame("ack", id=id, seq=1))
    alice.hear(frame("ack", id=id, seq=1))
    assert alice.wrong == [f"{id} acknowledged twice"]
