"""Questions to the database that come together are answered together.

What is asked while one lookup runs becomes the next one. A lookup costs about the same for one question as for
twenty, and takes the processor from the event loop: so in a crowd the next one begins only after a pause in
proportion, in which more come. Whoever asks alone waits for nobody.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar

from django.db import Error as DatabaseError

from realtime import request_id
from realtime.registry import ended
from topics.storing import database

Question = TypeVar("Question")
Answer = TypeVar("Answer")

logger = logging.getLogger(__name__)

TOGETHER: Final = 50  # questions in one lookup, unless said otherwise: all answers are in memory at once
PAUSES: Final = 3  # times as long as the lookup before: so lookups take a quarter of the time at most,
LONGEST_PAUSE: Final = 0.1  # seconds; nobody notices in a crowd


class Unanswered(Exception):
    """The database could not be asked."""


class Asked(NamedTuple, Generic[Question, Answer]):
    question: Question
    answer: asyncio.Future[Answer]
    by: request_id.Ids  # of the request or socket


class Gathering(Generic[Question, Answer]):
    """`answer_all(questions)` runs in a thread; its answers are in the questions' order, and may be exceptions."""

    def __init__(
        self, answer_all: Callable[[list[Question]], Sequence[Answer | Exception]], together: int = TOGETHER
    ) -> None:
        self._answer_all = answer_all
        self._together = together
        self._asked: deque[Asked[Question, Answer]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def ask(self, question: Question) -> Answer:
        """Raises what the answer is, where that is an exception, and Unanswered where answer_all itself failed."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked.append(Asked(question, answer, request_id.current.get()))
        if self._task is None:
            self._task = asyncio.create_task(self._work(), context=request_id.apart())
        return await answer

    async def finish(self) -> None:
        """Whoever has asked waits for it."""

    async def close(self) -> None:
        """Who still waits is told that there will be no answer."""
        await ended([self._task])
        _leave(self._asked)
        self._asked.clear()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._asked:
                began = loop.time()
                await self._answer(self._next())
                await asyncio.sleep(min(PAUSES * (loop.time() - began), LONGEST_PAUSE))
        finally:
            self._task = None

    def _next(self) -> list[Asked[Question, Answer]]:
        """Whoever has gone meanwhile has cancelled the answer."""
        taken = [self._asked.popleft() for _ in range(min(self._together, len(self._asked)))]
        return [asked for asked in taken if not asked.answer.done()]

    async def _answer(self, asked: list[Asked[Question, Answer]]) -> None:
        with request_id.concerning([one.by for one in asked]):
            await self._answer_these(asked)

    async def _answer_these(self, asked: list[Asked[Question, Answer]]) -> None:
        try:
            found = await database.run(database.readers, self._answer_all, [one.question for one in asked])
            if len(found) != len(asked):
                raise LookupError(f"{len(found)} answers to {len(asked)} questions")
        except asyncio.CancelledError:
            _leave(asked)
            raise
        except Exception as error:  # whatever it is, who waits is told and the next ones have their turn
            logger.warning("the database could not be asked: %s", error, exc_info=not isinstance(error, DatabaseError))
            found = [Unanswered(str(error)) for _ in asked]
        for (_, answer, _), outcome in zip(asked, found, strict=True):
            if answer.done():
                continue
            if isinstance(outcome, Exception):
                answer.set_exception(outcome)
            else:
                answer.set_result(outcome)


def _leave(asked: Iterable[Asked[Any, Any]]) -> None:
    for _, answer, _ in asked:
        if not answer.done():
            answer.set_exception(Unanswered("the process ends"))
