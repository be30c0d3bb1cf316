"""The two add-ons of the small plans: Postgres and Redis behind TLS, 20 connections each."""

import json
import secrets

from stack.compose import CommandError, until
from stack.heroku.certificates import Authority
from stack.heroku.containers import Container, Network, docker, files_of

CONNECTIONS = 20
OWNER = 999  # of the servers in both images
ONLY_TLS = "local all all trust\nhostssl all all all scram-sha-256\n"


class Postgres(Container):
    host = "postgres.example"

    def __init__(self, network: Network, authority: Authority) -> None:
        password = secrets.token_hex(16)
        self.url = f"postgres://rooms:{password}@{self.host}:5432/rooms"
        settings = {
            "max_connections": CONNECTIONS,
            "ssl": "on",
            "ssl_cert_file": "/tls/server.crt",
            "ssl_key_file": "/tls/server.key",
            "hba_file": "/tls/pg_hba.conf",
        }
        super().__init__(
            docker(
                *("create", "--network", network.name, "--network-alias", self.host),
                *("-e", "POSTGRES_USER=rooms", "-e", f"POSTGRES_PASSWORD={password}"),
                *(
                    "postgres:17-trixie",
                    *(part for each in settings.items() for part in ("-c", "=".join(map(str, each)))),
                ),
            )
        )
        self.put("tls", files_of(authority.sign(self.host)) | {"pg_hba.conf": ONLY_TLS}, OWNER)
        docker("start", self.id)

    def wait_ready(self) -> None:
        until(lambda: succeeds(self, "pg_isready", "-qh", "127.0.0.1"), "Postgres", 180)

    def query(self, sql: str) -> str:
        return self.exec("psql", "--username=rooms", "--tuples-only", "--no-align", "--command", sql)

    def messages(self, room: str) -> list[tuple[int, str, str]]:
        """(seq, id, body) of everything the room's log holds, in order."""
        query = (
            "SELECT coalesce(json_agg(json_build_array(e.seq, client_id, data::json ->> 'body') ORDER BY e.seq), '[]')"
            f" FROM topics_entry e JOIN topics_log l ON l.id = e.log_id WHERE l.name = 'room/{room}'"
        )
        return [tuple(row) for row in json.loads(self.query(query))]


class Redis(Container):
    """Its certificate is signed by nobody whom anybody knows."""

    host = "redis.example"

    def __init__(self, network: Network, authority: Authority) -> None:
        self.password = secrets.token_hex(16)
        self.url = f"rediss://:{self.password}@{self.host}:6379"
        super().__init__(
            docker(
                *("create", "--network", network.name, "--network-alias", self.host, "redis:8-trixie"),
                *("redis-server", "--port", "0", "--tls-port", "6379", "--tls-auth-clients", "no"),
                *("--tls-cert-file", "/tls/server.crt", "--tls-key-file", "/tls/server.key"),
                *("--requirepass", self.password, "--maxclients", str(CONNECTIONS), "--save", "", "--appendonly", "no"),
            )
        )
        self.put("tls", files_of(authority.sign(self.host)), OWNER)
        docker("start", self.id)

    def wait_ready(self) -> None:
        until(lambda: "PONG" in self.ask("ping"), "Redis", 180)

    def ask(self, *words: str) -> str:
        try:
            return self.exec("redis-cli", "--tls", "--insecure", "--no-auth-warning", "-a", self.password, *words)
        except CommandError:
            return ""

    def clients(self) -> int:
        """How many connections it has, beside the one that asks."""
        return int(self.ask("info", "clients").split("connected_clients:")[1].split()[0]) - 1


def succeeds(container: Container, *words: str) -> bool:
    try:
        container.exec(*words)
    except CommandError:
        return False
    return True
