"""A proxy on the host that ends TLS: believed once .env names it, and until then everybody is told how."""

import secrets
from collections.abc import Iterator

import pytest

from stack.compose import Stack, run
from visitor import Page, Visitor


@pytest.fixture
def https(stack: Stack) -> Iterator[Stack]:
    stack.env["HTTPS"] = "1"
    stack.up()
    yield stack
    del stack.env["HTTPS"]
    stack.env.pop("TRUSTED_PROXIES", None)
    stack.up()


def asked_by_the_proxy(stack: Stack) -> Page:
    return Visitor(stack.base_url).get("/name/", X_Forwarded_Proto="https", X_Forwarded_For="198.51.100.7")


def gateway(stack: Stack) -> str:
    return run(
        ["docker", "network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", f"{stack.project}_edge"]
    ).strip()


def test_the_proxy_is_believed_whatever_address_docker_gives_the_host(https: Stack) -> None:
    refused = asked_by_the_proxy(https)
    assert refused.status == 500
    assert f"add {gateway(https)}" in refused.text
    assert refused.text.strip() in https.compose("logs", "web").replace("\\u0060", "`")
    assert Visitor(https.base_url).get("/name/").status == 301

    https.env["TRUSTED_PROXIES"] = "gateway"
    https.up()
    assert asked_by_the_proxy(https).status == 200
    before = gateway(https)
    https.down()
    other = f"{https.project}-{secrets.token_hex(2)}"
    run(["docker", "network", "create", other])  # takes the addresses that have become free
    try:
        https.up()
        assert gateway(https) != before
        assert asked_by_the_proxy(https).status == 200
        assert '"address":"198.51.100.7"' in https.compose("logs", "nginx")
    finally:
        run(["docker", "network", "rm", other])


def test_a_name_that_is_no_address_is_a_sentence(stack: Stack) -> None:
    command = ["run", "--rm", "--no-deps", "-T", "--env", "TRUSTED_PROXIES=proxy.example", "nginx"]
    with pytest.raises(AssertionError, match=r"TRUSTED_PROXIES: 'proxy\.example' is no address"):
        stack.compose(*command)
