"""Appending to topics over plain HTTP: one event or a batch, each the same again where it is sent again."""

import asyncio
import json
from typing import Any, Final

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponseBase, JsonResponse
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from topics import rates
from topics.delivery.services import TOO_FAST, Denied, Services, denied, topic_of
from topics.http.problems import Problem
from topics.people import Person
from topics.storing.log import Outcome, Stored
from topics.wording import MAX_ID, Id, chosen_id, timestamp

MOST_AT_ONCE: Final = 100  # events in one POST
MEANT: Final = "Topics-Person"  # the `key` of whoever wrote what is posted: it does not go out as somebody else's


class Posted(BaseModel):
    """An event to be appended. The same person's same id and data is the same event; an id left out is chosen."""

    id: Id = Field(default_factory=chosen_id)
    data: Any


POSTED: Final = TypeAdapter(Posted).validator


async def append(request: ASGIRequest, name: str, person: Person) -> HttpResponseBase:
    meant = request.headers.get(MEANT)
    if meant is not None and meant != person.public_key:
        raise Problem(409, "somebody_else", "You are somebody else than who has written this.")
    wanted = posted(request)
    several = wanted if isinstance(wanted, list) else [wanted]
    begun = [await begin(name, person, one) for one in several]  # in order; they are stored together
    outcomes = [await landing if isinstance(landing, asyncio.Future) else landing for landing in begun]
    if isinstance(wanted, list):
        results = [result(one.id, outcome) for one, outcome in zip(several, outcomes, strict=True)]
        return JsonResponse({"results": results}, headers={"Cache-Control": "no-store"})
    if isinstance(outcomes[0], Denied):
        raise outcomes[0]
    status = 201 if outcomes[0] is not None and outcomes[0].fresh else 200
    return JsonResponse(result(wanted.id, outcomes[0]), status=status, headers={"Cache-Control": "no-store"})


async def cancel(request: ASGIRequest, name: str, person: Person, seq: int) -> HttpResponseBase:
    """Stops an event that grows."""
    services = Services.here()
    services.take(rates.limits(person), rates.too_fast, TOO_FAST)
    await services.cancel(topic_of(name), person, seq)
    return JsonResponse({"topic": name, "seq": seq}, headers={"Cache-Control": "no-store"})


Became = Stored | Denied | None
"""What became of an event: stored, or why not; None where the topic took it and appended nothing."""


async def begin(name: str, person: Person, one: Posted) -> "asyncio.Future[Became] | Denied | None":
    services, limits = Services.here(), rates.limits(person)
    try:
        services.take(limits, rates.too_fast, TOO_FAST)
        sent = await services.taken(topic_of(name), one.id, person, one.data)
    except Denied as refused:
        return refused
    if sent is None:
        return None
    landing: asyncio.Future[Became] = services.hub.loop.create_future()

    def landed(outcome: Outcome) -> None:
        if not landing.done():  # it is cancelled where the client has gone
            landing.set_result(outcome if isinstance(outcome, Stored) else denied(outcome))

    services.writer.append(sent, landed, tuple(limits))
    return landing


def result(id: str, became: Became) -> dict[str, Any]:
    if isinstance(became, Denied):
        retry = {"retry_after_ms": became.retry_after_ms} if became.retry_after_ms else {}
        return {"id": id, "error": {"code": became.code, "detail": became.detail, **retry}}
    return {"id": id, "seq": became.seq if became else None, "at": timestamp(became.at) if became else None}


def posted(request: ASGIRequest) -> Posted | list[Posted]:
    if request.content_type != "application/json":
        raise Problem(415, "bad_request", "Send JSON: Content-Type: application/json.")
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError):
        raise Problem(400, "bad_request", "The body is no JSON.") from None
    if not isinstance(found, list):
        return judged(found)
    if not 0 < len(found) <= MOST_AT_ONCE:
        raise Problem(422, "bad_request", f"A list has 1 to {MOST_AT_ONCE} events.")
    return [judged(one, index) for index, one in enumerate(found)]


def judged(one: Any, index: int | None = None) -> Posted:
    """One event, of a list where it has an index. Raises Problem."""
    try:
        return POSTED.validate_python(one, strict=True)  # type: ignore[no-any-return]
    except ValidationError as error:
        fault = fault_of(error)
    if index is None:
        raise Problem(422, "bad_request", fault)
    raise Problem(422, "bad_request", f"Event {index + 1} of the list: {fault}", index=index)


def fault_of(error: ValidationError) -> str:
    if error.errors(include_url=False, include_context=False, include_input=False)[0]["loc"] == ("id",):
        return f"An id is a text of 1 to {MAX_ID} characters."
    return 'An event is {"id": …, "data": …}.'
