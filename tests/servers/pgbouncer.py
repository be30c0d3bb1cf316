"""A PgBouncer in front of a Postgres, as its package ships it but for its mode."""

import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from servers.ports import free_port
from servers.process import Process


class PgBouncer(Process):
    """Leads to the database of this URL."""

    def __init__(self, url: str, mode: str) -> None:
        self.port = free_port()
        self.folder = tempfile.TemporaryDirectory(prefix="pgbouncer-", ignore_cleanup_errors=True)
        parts = urlsplit(url)
        self.url = f"postgres://{parts.username}:{parts.password}@127.0.0.1:{self.port}{parts.path}"
        folder = Path(self.folder.name)
        (folder / "users.txt").write_text(f'"{parts.username}" "{parts.password}"\n')
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\n* = host=127.0.0.1 port={parts.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
            f"listen_port = {self.port}\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {folder}/users.txt\n"
            f"pool_mode = {mode}\ndefault_pool_size = 5\n"
        )
        user = "postgres" if os.getuid() == 0 else None  # it refuses root
        for path in (folder, *folder.iterdir()) if user else ():
            shutil.chown(path, user)
        program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
        super().__init__("pgbouncer", [program, str(folder / "pgbouncer.ini")], self._answers, user=user)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True
