"""Who is in a room in which this process may have no socket, and so knows nothing of it.

A question goes to all processes. One that has had a socket there for a while knows everybody there, wherever they are:
its answer is the answer. Where nobody has one the room is empty, which is known once every process that lives has
said so. Both arrive within some milliseconds. What lets one wait for longer, and for ASK_SECONDS at most: this process
has just started and does not know the others, or one of them has just died. What is said is in `events.MEMBERS`.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from realtime.limits import ASK_SECONDS, KNOWN_SECONDS
from realtime.presence import Presence

Event = dict[str, Any]
Here = tuple[dict[str, dict[str, Any]], int]
"""Some of a room's people by key, and how many all are."""


class Unheard(Exception):
    """The channel layer does not bring this process its own words back: nobody can be asked."""


@dataclass(slots=True)
class Question:
    answer: asyncio.Future[Here]
    said_no: set[str] = field(default_factory=set)
    guess: Here | None = None  # of a process that may not know all of it yet


class Asking:
    """One a hub. `send(event)` tells all processes, this one too."""

    def __init__(self, process: str, presence: Presence, send: Callable[[Event], None]) -> None:
        self._process = process
        self._presence = presence
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._open: dict[str, Question] = {}

    async def members(self, room: str, limit: int) -> Here:
        """Raises Unheard."""
        here = self._known(room, limit)
        if here and here[2]:
            return here[:2]
        id = secrets.token_hex(8)
        question = self._open[id] = Question(self._loop.create_future())
        try:
            self._send({"members": "?", "question": id, "room": room, "limit": limit, "process": self._process})
            async with asyncio.timeout(ASK_SECONDS):
                return await question.answer
        except TimeoutError:
            if question.guess or here:
                return question.guess or here[:2]  # type: ignore[index]
            if self._process not in question.said_no:
                raise Unheard from None
            return {}, 0
        finally:
            del self._open[id]

    def receive(self, event: Event) -> None:
        if event["members"] == "?":
            here = self._known(event["room"], event["limit"])
            self._send({"members": "!", "question": event["question"], "process": self._process, "here": here})
        elif (question := self._open.get(event["question"])) and not question.answer.done():
            self._hear(question, event["process"], event["here"])

    def _known(self, room: str, limit: int) -> tuple[dict[str, dict[str, Any]], int, bool] | None:
        """None where no socket of this process is there; `sure` where everybody's have been heard of."""
        if not self._presence.listens(room):
            return None
        people, member_count = self._presence.people(room, limit)
        return people, member_count, self._presence.listens(room, KNOWN_SECONDS)

    def _hear(self, question: Question, process: str, here: Any) -> None:
        if here is None:
            question.said_no.add(process)
        elif here[2]:
            question.answer.set_result((here[0], here[1]))
            return
        else:
            question.said_no.add(process)
            if question.guess is None or here[1] > question.guess[1]:
                question.guess = here[0], here[1]
        if self._loop.time() - self._began >= KNOWN_SECONDS and question.said_no >= self._living():
            question.answer.set_result(question.guess or ({}, 0))

    def _living(self) -> set[str]:
        return {self._process, *self._presence.processes()}
