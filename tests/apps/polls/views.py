from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.polls.topics import Votes
from topics.people import person_of, remember_guest


def poll(request: HttpRequest, poll: str) -> HttpResponse:
    """The position first and what it shows after: what comes between is heard, and nothing is shown twice."""
    votes = Votes(poll=poll)
    position = votes.position()
    events = votes.events(before=position.seq + 1)
    page = {"poll": poll, "votes": votes, "position": position, "events": events}
    response = render(request, "polls/poll.html", page)
    remember_guest(response, person_of(request))
    return response
