"""A page with a bug."""

from django.http import HttpRequest, HttpResponse


def page(request: HttpRequest, owner: str) -> HttpResponse:
    raise ArithmeticError("the page is wrong")
