"""DOMAIN in .env, and people talk by TLS: with a certificate from an authority, or with one of their own."""

import asyncio
import http.client
import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography import x509

from browser import chromium
from client import enter, new_room
from servers.ports import free_port
from stack.acme import Acme
from stack.compose import CommandError, Stack, run, until
from stack.heroku.certificates import Authority
from stack.steering import Sitter
from visitor import Visitor

NAME = "rooms.example.org"
BASE = f"https://{NAME}"
STOPGAP = "CN=no certificate yet"


class Secure:
    """The site of a stack of its own, whose ports stand for 80 and 443; and the authority that it asks."""

    def __init__(self, stack: Stack, acme: Acme, port: int) -> None:
        self.stack, self.acme, self.port = stack, acme, port

    def make(self, *arguments: str) -> str:
        """As somebody whose .env has no more than DOMAIN; what it said."""
        return self.stack.run("bash", "-c", f"unset COMPOSE_FILE; make {' '.join(arguments)} 2>&1")

    def shown(self) -> x509.Certificate:
        """To somebody who comes now, whoever has signed it."""
        anything = ssl._create_unverified_context()
        with self._line(anything) as line:
            return x509.load_der_x509_certificate(line.getpeercert(binary_form=True) or b"")

    def get(self, path: str, trusting: str | Path) -> "Answer":
        """Raises ssl.SSLCertVerificationError where a browser would warn."""
        connection = http.client.HTTPSConnection(NAME)
        connection.sock = self._line(trust(trusting))
        connection.request("GET", path)
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.headers), answer.read())

    def _line(self, tls: ssl.SSLContext) -> ssl.SSLSocket:
        return tls.wrap_socket(socket.create_connection(("127.0.0.1", self.port), 30), server_hostname=NAME)


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def trust(authority: str | Path) -> ssl.SSLContext:
    """PEM, or a file with it; and no other."""
    text = authority.read_text() if isinstance(authority, Path) else authority
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=text)
    return context


@pytest.fixture(scope="module")
def site(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    """Started before its authority is: nobody answers there yet."""
    stack = Stack(tmp_path_factory.mktemp("tls"))
    port = free_port()
    acme = Acme(tmp_path_factory.mktemp("acme"), stack.port)
    stack.env |= {"HTTP_BIND": "127.0.0.1", "HTTPS_PORT": str(port)}
    stack.env["COMPOSE_FILE"] = "docker-compose.yml:docker/tls.yml"
    tls = stack.folder / "docker/tls.yml"
    tls.write_text(acme.known_to(tls.read_text()))
    mail = "EMAIL_URL=smtp://mail.example.org\nDEFAULT_FROM_EMAIL=rooms@example.org"
    (stack.folder / ".env").write_text(f"DOMAIN={NAME}\nACME_SERVER={acme.url}\n{mail}\n")
    site = Secure(stack, acme, port)
    try:
        yield site
    finally:
        acme.stop()
        stack.remove()


@pytest.fixture(scope="module")
def up(site: Secure) -> str:
    """What the first `make up` said, with nobody who signs."""
    return site.make("up")


@pytest.fixture(scope="module")
def root(site: Secure, up: str) -> str:
    """The authority has come, and has signed."""
    if not site.acme.processes[0].alive:
        site.acme.start()
    site.acme.names_lead_to("127.0.0.1")
    site.make("certificate")
    until(lambda: site.shown().issuer.rfc4514_string() != STOPGAP, "certificate that somebody has signed")
    return site.acme.root()


def test_without_an_authority_the_site_answers_and_one_sentence_says_why_browsers_will_not_trust_it(
    site: Secure, up: str
) -> None:
    (said,) = [line for line in up.splitlines() if "There is no certificate" in line]
    assert f"{site.acme.url} does not answer" in said
    assert "`make certificate` tries at once" in said
    logs = site.stack.compose("logs")
    assert logs.count("There is no certificate") == 1
    assert "Traceback" not in logs
    assert site.shown().issuer.rfc4514_string() == STOPGAP
    plain = Visitor(site.stack.base_url)
    assert plain.get("/health/ready").status == 200
    assert (plain.get("/room/x/?a=b").status, plain.get("/").status) == (301, 301)


def test_what_the_authority_finds_wrong_with_the_name_is_said(site: Secure, up: str) -> None:
    site.acme.start()
    site.acme.names_lead_to("")
    with pytest.raises(CommandError, match=rf"says of {NAME}: .*could not resolve") as failure:
        site.make("certificate")
    assert "The site shows the certificate that it had" in str(failure.value)


def test_a_page_comes_by_tls_and_http_leads_to_it(site: Secure, root: str) -> None:
    page = site.get("/", root)
    assert page.status == 200
    assert page.headers["Strict-Transport-Security"] == "max-age=3600"
    assert site.get("/name/", root).headers["Set-Cookie"].endswith("Secure")
    plain = Visitor(site.stack.base_url).get("/room/x/?a=b", Host=NAME)
    assert (plain.status, plain.headers["Location"]) == (301, f"{BASE}/room/x/?a=b")
    assert not re.search(r"^(broken|doubtful) ", site.make("doctor", "STACK=1"), re.MULTILINE)


def test_old_protocols_are_refused(site: Secure, root: str) -> None:
    offered = ["openssl", "s_client", "-connect", f"127.0.0.1:{site.port}", "-tls1_1", "-cipher", "ALL@SECLEVEL=0"]
    said = subprocess.run(offered, input="", capture_output=True, text=True, timeout=30)
    assert said.returncode
    assert "alert protocol version" in said.stderr


async def test_two_people_talk_in_browsers_that_trust_the_authority(site: Secure, root: str, tmp_path: Path) -> None:
    teach(tmp_path, root)
    ports = f"MAP {NAME}:80 127.0.0.1:{site.stack.port}, MAP {NAME}:443 127.0.0.1:{site.port}"
    async with chromium(f"--host-resolver-rules={ports}", home=tmp_path) as browser:
        alice = Sitter(await browser.new_page(), f"http://{NAME}")
        bob = Sitter(await (await browser.new_context()).new_page(), BASE)
        sockets: list[str] = []
        alice.page.on("websocket", lambda socket: sockets.append(socket.url))
        room = new_room()
        await alice.enter(room)
        await bob.enter(room)
        await alice.say("by TLS")
        await bob.hears("by TLS")
        await bob.say("and back")
        await alice.hears("and back")
        assert alice.page.url.startswith(BASE)
        assert [url.partition("/ws/")[0] for url in sockets] == [f"wss://{NAME}"]
        ask = "performance.getEntriesByType('navigation')[0].nextHopProtocol"
        assert await alice.page.evaluate(ask) == "h2"
        assert [alice.problems, bob.problems] == [[], []]


async def test_a_renewal_is_shown_to_who_comes_and_cuts_nobody(site: Secure, root: str) -> None:
    before, workers = site.shown(), pids(site)
    room = new_room()
    base = f"wss://{NAME}"
    alice = await enter(base, room, port=site.port, tls=trust(root))
    said = await asyncio.to_thread(site.make, "certificate")
    assert f"The certificate of {NAME} is good until" in said
    await asyncio.to_thread(until, lambda: site.shown().serial_number != before.serial_number, "new certificate")
    async with await enter(base, room, port=site.port, tls=trust(root)) as bob:
        await bob.say("with the new one")
        await alice.hears("with the new one")
        await alice.say("with the old one")
        await bob.hears("with the old one")
    await alice.leave()
    assert pids(site) == workers, "nginx was not even reloaded"


def test_what_starts_again_asks_for_nothing_that_it_has(site: Secure, root: str) -> None:
    """Authorities count."""
    before = site.shown()
    site.stack.compose("restart", "--timeout", "1", "certificates")
    asked = ["exec", "-T", "certificates", "python", "/usr/local/lib/certificates/certificates.py", "news"]
    assert site.stack.compose(*asked).startswith(f"The certificate of {NAME} is good until")
    assert site.shown() == before


def test_a_certificate_of_ones_own_is_taken_over_if_it_fits_and_so_is_its_successor(
    site: Secure, root: str, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    own = tmp_path / "own.crt", tmp_path / "own.key"
    signed = authority.sign(NAME)
    replace(own, signed)
    stranger, _ = authority.sign(NAME)
    env = site.stack.folder / ".env"
    text, before, servers = env.read_text(), site.shown(), site.stack.ids()

    env.write_text(f"{text}TLS_CERT={stranger}\nTLS_KEY={own[1]}\n")
    with pytest.raises(CommandError, match=r"TLS_CERT and TLS_KEY do not belong together.* Nothing was changed"):
        site.make("certificate")
    assert site.shown() == before

    env.write_text(f"{text}TLS_CERT={own[0]}\nTLS_KEY={own[1]}\n")
    assert f"The certificate of {NAME} is good until" in site.make("certificate")
    until(lambda: site.shown() == x509.load_pem_x509_certificate(own[0].read_bytes()), "own certificate")
    assert site.get("/", authority.certificate).status == 200
    replace(own, authority.sign(NAME))
    site.make("certificate")
    until(lambda: site.shown() == x509.load_pem_x509_certificate(own[0].read_bytes()), "its successor")
    assert site.stack.ids() == servers, "none of them was touched"


def test_who_asks_outside_has_no_rights_and_nginx_sees_no_more_than_it_shows(site: Secure, root: str) -> None:
    about = site.stack.container("certificates").inspect()
    limits, networks = about["HostConfig"], about["NetworkSettings"]["Networks"]
    assert (limits["CapDrop"], limits["CapAdd"], limits["ReadonlyRootfs"]) == (["ALL"], None, True)
    assert about["Config"]["User"] == "10004:101"
    assert list(networks) == [f"{site.stack.project}_certificates"]
    with pytest.raises(CommandError, match="Permission denied"):
        site.stack.container("nginx").exec("find", "/etc/nginx/certificates/acme", "-name", "privkey*")


def test_compose_alone_says_what_a_domain_needs(site: Secure) -> None:
    with pytest.raises(CommandError, match=r"DOMAIN needs docker/tls\.yml: COMPOSE_FILE="):
        site.stack.run("bash", "-c", "unset COMPOSE_FILE; docker compose run --rm --no-deps -T edge check")


def pids(site: Secure) -> str:
    return site.stack.container("nginx").exec("sh", "-c", "cat /proc/[0-9]*/stat | grep -F '(nginx)' | cut -d ' ' -f 1")


def replace(own: tuple[Path, Path], signed: tuple[Path, Path]) -> None:
    for new, old in zip(signed, own, strict=True):
        new.replace(old)


def teach(home: Path, authority: str) -> None:
    """Chromium trusts whom its user has told it to."""
    file, database = home / "root.pem", home / ".pki/nssdb"
    file.write_text(authority)
    database.mkdir(parents=True)
    for options in (["-N", "--empty-password"], ["-A", "-n", "Tests", "-t", "C,,", "-i", str(file)]):
        run(["certutil", "-d", f"sql:{database}", *options])
