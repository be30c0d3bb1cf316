"""A view that does something in a transaction and appends what it did, as a project's own views do."""

import time

from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from bench.halls.topics import Hall


@csrf_exempt
def append(request: HttpRequest, hall: str) -> HttpResponse:
    """Its event carries the moment of the call, on the clock that all processes of a machine share."""
    with transaction.atomic():
        Group.objects.filter(name=hall).update(name=hall)  # whatever the view is there for: one statement
        Hall(hall=hall).append({"called": time.perf_counter()})
    return HttpResponse(status=204)
