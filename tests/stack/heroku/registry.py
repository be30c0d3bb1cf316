"""A real registry (Debian's docker-registry) on a disk of its own, which a test may fill."""

import asyncio
import hashlib
import json
import os
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

from servers.ports import answers, free_port
from servers.process import Process
from stack.heroku.inside import LOOPBACK
from stack.heroku.requests import Head, answer, password
from stack.heroku.router import join

DISK = "700m"
PATIENCE = 300  # seconds of silence
SCHEMA_2 = "application/vnd.docker.distribution.manifest.v2+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
PLATFORM = {"os": "linux", "architecture": "amd64"}
CONFIG = """
version: 0.1
log: {{level: warn}}
storage:
  filesystem: {{rootdirectory: {disk}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


class Registry(Process):
    """It serves whoever knows the key, which comes as a password."""

    def __init__(self, folder: Path, key: str) -> None:
        self._key = key
        self.pushes = 0
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._disk = folder / "registry"
        self._disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", self._disk], check=True)
        config = folder / "registry.yml"
        config.write_text(CONFIG.format(disk=self._disk, port=self.port))
        super().__init__("docker-registry", ["docker-registry", "serve", str(config)], lambda: answers(self.port))

    async def serve(self, head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """As Heroku's: TLS has ended, and nobody gets further without having logged in."""
        if password(head) != self._key:
            refusal = {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}
            writer.write(answer(401, refusal, WWW_Authenticate='Basic realm="registry"'))
            return
        self.pushes += head.method == "PUT" and "/manifests/" in head.path
        from_registry, to_registry = await asyncio.open_connection(LOOPBACK, self.port)
        try:
            head.set("connection", "close")
            head.set("x-forwarded-proto", "https")
            to_registry.write(head.encode())
            await join((reader, to_registry), (from_registry, writer), PATIENCE, both_ways=True)
        finally:
            to_registry.close()

    def manifest(self, image: str) -> Any:
        """Of `app/web` for example, whatever kind it is."""
        kinds = (OCI_INDEX, OCI_MANIFEST, SCHEMA_2)
        request = urllib.request.Request(
            f"http://{self.address}/v2/{image}/manifests/latest", headers={"Accept": ", ".join(kinds)}
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as answer:
            return json.load(answer)

    def put_oci_index(self, image: str) -> None:
        """As `docker push` does from a containerd store, around the manifest that is there."""
        inner = json.dumps({**self.manifest(image), "mediaType": OCI_MANIFEST}).encode()
        digest = f"sha256:{hashlib.sha256(inner).hexdigest()}"
        self._put(image, digest, OCI_MANIFEST, inner)
        entry = {"mediaType": OCI_MANIFEST, "digest": digest, "size": len(inner), "platform": PLATFORM}
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}
        self._put(image, "latest", OCI_INDEX, json.dumps(index).encode())

    def _put(self, image: str, reference: str, kind: str, manifest: bytes) -> None:
        url = f"http://{self.address}/v2/{image}/manifests/{reference}"
        request = urllib.request.Request(url, data=manifest, method="PUT", headers={"Content-Type": kind})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10):
            pass

    def fill(self) -> None:
        left = os.statvfs(self._disk)
        with (self._disk / "ballast").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, left.f_bavail * left.f_frsize)

    def empty(self) -> None:
        (self._disk / "ballast").unlink()

    def remove(self) -> None:
        self.stop()
        subprocess.run(["umount", self._disk], check=True)
