"""A redirect that would lead back to itself is a sentence that says what to change."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client

from config.loop import LoopMiddleware


@pytest.fixture(autouse=True)
def https(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.PROXY_HOPS = 1


def asked(**headers: str) -> HttpResponse:
    return Client().get("/name/", headers=headers)  # type: ignore[return-value]


def test_a_proxy_that_was_not_named_is_named_by_the_answer(caplog: pytest.LogCaptureFixture) -> None:
    answer = asked(X_Forwarded_Proto="http", X_Unbelieved_Proxy="172.18.0.1")
    assert answer.status_code == 500
    assert "add 172.18.0.1" in answer.content.decode()
    assert "TRUSTED_PROXIES in .env" in answer.content.decode()
    assert [line.getMessage() for line in caplog.records] == [answer.content.decode().strip()]


@pytest.mark.parametrize("scheme", ["https", "HTTPS", "http, https", "wss"])
def test_where_no_proxy_is_expected_the_answer_says_how_to_expect_one(settings: Any, scheme: str) -> None:
    settings.PROXY_HOPS = 0
    answer = asked(X_Forwarded_Proto=scheme)
    assert answer.status_code == 500
    assert "PROXY_HOPS=1" in answer.content.decode()


@pytest.mark.parametrize("headers", [{}, {"X_Forwarded_Proto": "http"}, {"X_Unbelieved_Proxy": "<script>"}])
def test_everybody_else_who_comes_by_http_is_redirected(headers: dict[str, str]) -> None:
    answer = asked(**headers)
    assert (answer.status_code, answer.headers["Location"]) == (301, "https://testserver/name/")


def test_without_https_there_is_no_redirect_and_so_no_loop(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = False
    assert LoopMiddleware(a_page)(request("172.18.0.1")).content == b"a page"


def test_a_thousand_such_requests_are_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    loop = LoopMiddleware(a_page)
    assert {loop(request("172.18.0.1")).status_code for _ in range(1000)} == {500}
    assert len(caplog.records) == 1


async def test_the_server_of_sockets_answers_in_the_same_way() -> None:
    async def page(request: HttpRequest) -> HttpResponse:
        return a_page(request)

    loop = LoopMiddleware(page)
    assert (await loop(request("172.18.0.1"))).status_code == 500
    assert (await loop(request(""))).content == b"a page"


def a_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("a page")


def request(proxy: str) -> HttpRequest:
    made = HttpRequest()
    made.META = {"HTTP_X_UNBELIEVED_PROXY": proxy, "SERVER_NAME": "a", "SERVER_PORT": "80"}
    return made
