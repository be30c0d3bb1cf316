"""What docs/operate.md has for a proxy in front, typed by somebody: people talk through it by TLS."""

import asyncio
import http.client
import os
import re
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from client import enter, new_room
from servers import needed
from servers.app import Image
from servers.ports import answers, free_port
from servers.postgres import Postgres
from servers.process import Process
from servers.stack import Stack
from stack.heroku.certificates import Authority

NAME = "rooms.example.org"
DOCS = (Path(__file__).parents[2] / "docs/operate.md").read_text()
COMMANDS = {
    "caddy": ["caddy", "run", "--adapter", "caddyfile", "--config", "conf"],
    "nginx": ["/usr/sbin/nginx", "-p", ".", "-e", "stderr", "-c", "conf", "-g", "daemon off;"],
}


def lines(kind: str, begin: str) -> str:
    """The block of the page that begins so."""
    (block,) = (text for text in re.findall(rf"```{kind}\n(.*?)```", DOCS, re.DOTALL) if text.startswith(begin))
    return block


@pytest.fixture(scope="module")
def stack(image: Image, postgres: Postgres) -> Iterator[Stack]:
    """Its .env has the page's three lines; here the gateway's address is another."""
    settings = dict(line.split("=") for line in lines("sh", "ALLOWED_HOSTS").splitlines())
    assert settings.pop("TRUSTED_PROXIES") == "gateway"
    stack = Stack(image, postgres, ["daphne"], **settings)
    stack.nginx.believe("127.0.0.1")
    with stack:
        yield stack


def caddyfile(port: int, certificate: Path, key: Path) -> str:
    """With a certificate from elsewhere, and ports that are free."""
    site = lines("caddy", NAME).rstrip()
    assert len(site.splitlines()) == 3
    options = f"{{\nadmin off\nhttps_port {port}\nauto_https disable_redirects\nskip_install_trust\n}}\n"
    return f"{options}{site.removesuffix('}')}tls {certificate} {key}\nbind 127.0.0.1\n}}\n"


def nginx_conf(port: int, certificate: Path, key: Path) -> str:
    tls = f"listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};"
    location = lines("nginx", "location")
    return f"pid nginx.pid; events {{}} http {{ access_log off; server {{ {tls}\n{location} }} }}"


@pytest.mark.parametrize("kind", ["caddy", "nginx"])
async def test_people_talk_through_the_proxy_of_the_documents(stack: Stack, tmp_path: Path, kind: str) -> None:
    needed.programs(kind)
    port, authority, file = free_port(), Authority(tmp_path), tmp_path / "conf"
    written = {"caddy": caddyfile, "nginx": nginx_conf}[kind](port, *authority.sign(NAME))
    assert written.count("127.0.0.1:8080") == 1
    file.write_text(written.replace("127.0.0.1:8080", f"127.0.0.1:{stack.nginx.port}"))
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    proxy = Process(kind, COMMANDS[kind], lambda: answers(port), env=env, cwd=tmp_path)
    trusting = ssl.create_default_context(cafile=str(authority.certificate))
    await asyncio.to_thread(proxy.start)
    try:
        origin = {"Origin": f"https://{NAME}:{port}"}
        base, room = f"wss://{NAME}:{port}", new_room()
        async with (
            await enter(base, room, headers=origin, port=port, tls=trusting) as alice,
            await enter(base, room, headers=origin, port=port, tls=trusting) as bob,
        ):
            await alice.say("through it")
            await bob.hears("through it")
        assert await asyncio.to_thread(page, port, trusting) == (200, "max-age=3600")
    finally:
        await asyncio.to_thread(proxy.stop)


def page(port: int, trusting: ssl.SSLContext) -> tuple[int, str]:
    """Its status, and for how long browsers are to come by https alone."""
    line = http.client.HTTPSConnection(NAME, port)
    line.sock = trusting.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname=NAME)
    line.request("GET", "/name/")
    answer = line.getresponse()
    return answer.status, answer.headers["Strict-Transport-Security"]
