"""An authority on this machine that signs by ACME: Pebble, which Let's Encrypt's makers wrote for tests."""

import json
import os
import ssl
import urllib.request
from pathlib import Path

from servers.ports import answers, free_port
from servers.process import Process
from stack.compose import run
from stack.heroku.certificates import Authority

NAME = "acme.example.org"
GATEWAY = ["network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"]
# Without pauses and without the refusals by which it tries clients' patience.
ENV = {"PATH": os.environ["PATH"], "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}


class Acme:
    """Asks for its proofs on `http_port` of this machine, where every name leads to by default."""

    def __init__(self, folder: Path, http_port: int) -> None:
        self.authority = Authority(folder)
        self.host, self.port = run(["docker", *GATEWAY]).strip(), free_port()
        self.roots, self.dns, self.names = free_port(), free_port(), free_port()
        certificate, key = self.authority.sign(NAME)
        settings = {
            "listenAddress": f"{self.host}:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self.roots}",
            "certificate": str(certificate),
            "privateKey": str(key),
            "httpPort": http_port,
            "tlsPort": free_port(),
        }
        config = folder / "pebble.json"
        config.write_text(json.dumps({"pebble": settings}))
        pebble = ["pebble", "-config", str(config), "-dnsserver", f"127.0.0.1:{self.dns}"]
        off = [f"-{kind}=" for kind in ("http01", "https01", "tlsalpn01", "defaultIPv6")]
        double = ["pebble-challtestsrv", f"-dns01=127.0.0.1:{self.dns}", f"-management=127.0.0.1:{self.names}", *off]
        self.processes = [
            Process("names", [*double, "-defaultIPv4=127.0.0.1"], lambda: answers(self.names), env=ENV),
            Process("pebble", pebble, lambda: answers(self.roots), env=ENV),
        ]

    @property
    def url(self) -> str:
        """As a container reaches it, which knows its name by `overlay`."""
        return f"https://{NAME}:{self.port}/dir"

    def known_to(self, tls: str) -> str:
        """docker/tls.yml, with a client that finds and trusts this server."""
        volumes = f"[certificates:/certificates, {self.authority.certificate}:/authority.crt:ro]"
        changes = {
            "networks: [certificates]\n": f'networks: [certificates]\n    extra_hosts: ["{NAME}:{self.host}"]\n',
            "- ACME_SERVER=": "- REQUESTS_CA_BUNDLE=/authority.crt\n      - ACME_SERVER=",
            '["certificates:/certificates"]': volumes,
        }
        for before, after in changes.items():
            assert tls.count(before) == 1, before
            tls = tls.replace(before, after)
        return tls

    def start(self) -> None:
        for process in self.processes:
            process.start()

    def stop(self) -> None:
        for process in self.processes:
            process.stop()

    def names_lead_to(self, address: str) -> None:
        """Empty: there is no such name."""
        body = json.dumps({"ip": address}).encode()
        urllib.request.urlopen(f"http://127.0.0.1:{self.names}/set-default-ipv4", body).close()

    def root(self) -> str:
        """What it signs by, in PEM."""
        nobody = ssl._create_unverified_context()
        with urllib.request.urlopen(f"https://127.0.0.1:{self.roots}/roots/0", context=nobody) as answer:
            return answer.read().decode()
