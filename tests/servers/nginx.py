"""The project's own nginx configuration on loopback, with fixed upstreams for the containers' names."""

import http.client
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from servers.ports import free_port
from servers.process import Process

CONFIGURATION = Path(__file__).parents[2] / "nginx"


class Nginx(Process):
    """Passes on to these ports of 127.0.0.1, or addresses with their ports."""

    def __init__(self, *, web: Sequence[int | str], ws: Sequence[int | str]) -> None:
        self.port, self.health_port, self.metrics_port = free_port(), free_port(), free_port()
        self.folder = tempfile.TemporaryDirectory(prefix="nginx-", ignore_cleanup_errors=True)
        prefix = Path(self.folder.name)
        prefix.chmod(0o755)  # started by root, its workers are nobody
        self.configuration = prefix / "conf"
        shutil.copytree(CONFIGURATION, self.configuration)
        self._write("listen.conf", f"listen 127.0.0.1:{self.port} default_server;")
        self._write("tls.conf", "")
        health = (self.configuration / "health.conf").read_text()
        health = health.replace("127.0.0.1:8081", f"127.0.0.1:{self.health_port}")
        self._write("health.conf", health.replace("listen 9100", f"listen 127.0.0.1:{self.metrics_port}"))
        self.lead_to(web=web, ws=ws)
        self.believe()
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        command = [
            program,
            "-p",
            str(prefix),
            "-c",
            str(self.configuration / "nginx.conf"),
            "-g",
            "daemon off;",
        ]
        super().__init__("nginx", command, self._ours_answers)

    def lead_to(self, *, web: Sequence[int | str], ws: Sequence[int | str]) -> None:
        """Name its upstreams; it reads them at the next start or reload."""
        self._write(
            "upstreams.conf",
            f"upstream web {{ zone web 64k; {_servers(web)} keepalive 32; }}\n"
            f"upstream ws {{ zone ws 64k; least_conn; {_servers(ws)} }}\n",
        )

    def believe(self, *proxies: str) -> None:
        """Name the proxies in front, as the container does."""
        script, env = self.configuration / "trust.sh", {"TRUSTED_PROXIES": ",".join(proxies), "PATH": "/usr/bin:/bin"}
        self._write(
            "proxies.conf", subprocess.run(["sh", script], env=env, capture_output=True, check=True, text=True).stdout
        )

    def limit(self, before: str, after: str) -> None:
        """Put another number into limits.conf, before it starts."""
        text = (self.configuration / "limits.conf").read_text()
        assert text.count(before) == 1
        self._write("limits.conf", text.replace(before, after))

    def reload(self) -> None:
        self.signal(signal.SIGHUP)

    def _write(self, name: str, text: str) -> None:
        (self.configuration / name).write_text(text + "\n")

    def _ours_answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.health_port, timeout=5)
        try:
            connection.request("GET", "/nginx-health")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _servers(places: Sequence[int | str]) -> str:
    addresses = (place if isinstance(place, str) else f"127.0.0.1:{place}" for place in places)
    return " ".join(f"server {address} max_fails=0;" for address in addresses)
