"""A proxy on the host that ends TLS: believed once .env names it, and until then everybody is told how."""

import asyncio
import http.client
import os
import re
import secrets
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from client import enter, new_room
from servers.ports import answers, free_port
from servers.process import Process
from stack.compose import Stack, run
from stack.heroku.certificates import Authority
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


# --- what docs/operate.md has for proxies, typed by somebody ---

NAME = "rooms.example.org"
DOCS = (Path(__file__).parents[2] / "docs/operate.md").read_text()


def lines(kind: str, begin: str) -> str:
    """The block of docs/operate.md that begins so."""
    (block,) = (text for text in re.findall(rf"```{kind}\n(.*?)```", DOCS, re.DOTALL) if text.startswith(begin))
    return block


@pytest.fixture(scope="module")
def behind(stack: Stack) -> Iterator[Stack]:
    """Its .env has the three lines."""
    env = stack.folder / ".env"
    before = env.read_text() if env.exists() else None
    env.write_text(f"{before or ''}\n{lines('sh', 'ALLOWED_HOSTS')}")
    stack.up()
    yield stack
    env.write_text(before) if before is not None else env.unlink()
    stack.up()


def caddyfile(port: int, stack: Stack, certificate: Path, key: Path) -> str:
    """With a certificate from elsewhere, and ports that are free."""
    site = lines("caddy", NAME).replace("127.0.0.1:8080", f"127.0.0.1:{stack.port}").rstrip()
    assert len(site.splitlines()) == 3
    options = f"{{\nadmin off\nhttps_port {port}\nauto_https disable_redirects\nskip_install_trust\n}}\n"
    return f"{options}{site.removesuffix('}')}tls {certificate} {key}\nbind 127.0.0.1\n}}\n"


def nginx_conf(port: int, stack: Stack, certificate: Path, key: Path) -> str:
    location = lines("nginx", "location").replace("127.0.0.1:8080", f"127.0.0.1:{stack.port}")
    tls = f"listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};"
    return f"pid nginx.pid; events {{}} http {{ access_log off; server {{ {tls}\n{location} }} }}"


@pytest.mark.parametrize("kind", ["caddy", "nginx"])
async def test_people_talk_through_the_proxy_of_the_documents(behind: Stack, tmp_path: Path, kind: str) -> None:
    port, authority, file = free_port(), Authority(tmp_path), tmp_path / "conf"
    written = {"caddy": caddyfile, "nginx": nginx_conf}[kind](port, behind, *authority.sign(NAME))
    file.write_text(written)
    command = {
        "caddy": ["caddy", "run", "--adapter", "caddyfile", "--config", str(file)],
        "nginx": ["/usr/sbin/nginx", "-p", str(tmp_path), "-e", "stderr", "-c", str(file), "-g", "daemon off;"],
    }
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    proxy = Process(kind, command[kind], lambda: answers(port), env=env)
    trusting = ssl.create_default_context(cafile=str(authority.certificate))
    await asyncio.to_thread(proxy.start)
    try:
        origin = {"Origin": f"https://{NAME}:{port}"}
        base, room = f"wss://{NAME}:{port}", new_room()
        alice = await enter(base, room, headers=origin, port=port, tls=trusting)
        async with alice, await enter(base, room, headers=origin, port=port, tls=trusting) as bob:
            await alice.say("through it")
            await bob.hears("through it")
        line = http.client.HTTPSConnection("127.0.0.1", port, context=ssl._create_unverified_context())
        line.sock = trusting.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname=NAME)
        line.request("GET", "/name/", headers={"Host": f"{NAME}:{port}"})
        page = line.getresponse()
        assert (page.status, page.headers["Strict-Transport-Security"]) == (200, "max-age=3600")
    finally:
        proxy.stop()
