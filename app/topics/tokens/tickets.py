"""POST /topics/ticket: a ticket for a page that has neither the site's cookies nor a token of its own.

Who is logged in, or bears a token, is given one, and may hand it to such a page. It opens one socket, or sends one
request, within a minute.
"""

from typing import Final

from django.core.handlers.asgi import ASGIRequest
from django.http import JsonResponse
from django.http.response import HttpResponseBase

from realtime import metrics
from topics import rates
from topics.delivery.services import Services
from topics.http.problems import Problem, answered
from topics.people import Person
from topics.storing import database
from topics.tokens.authentication import bearer_of
from topics.tokens.tokens import TICKET, TICKET_SECONDS, ticket_for

too_often: Final = metrics.limited.labels("tickets")


@answered
async def ticket(request: ASGIRequest, person: Person) -> HttpResponseBase:
    if request.method != "POST":
        raise Problem(405, "bad_method", "POST gets a ticket.", allow="POST")
    if (bearer_of(request.scope["headers"]) or "").startswith(TICKET):
        raise Problem(403, "forbidden", "A ticket gets no other ticket.")
    if person.guest:
        raise Problem(401, "login_required", "A ticket is for somebody with an account: log in, or bear a token.")
    Services.here().take(rates.tickets(person), too_often, "You have asked for too many tickets: wait a moment.")
    secret = await database.run(database.readers, ticket_for, request.identity)  # type: ignore[attr-defined]
    answer = {"ticket": secret, "expires_in": TICKET_SECONDS}
    return JsonResponse(answer, status=201, headers={"Cache-Control": "no-store"})
