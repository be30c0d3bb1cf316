"""Writes the keys and passwords of the stack into a folder, once: a file that is there stays as it is.

Each file may be read by one group, which the containers that need it are members of. Nothing is printed.
"""

import hashlib
import os
import secrets
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

APP, POSTGRES, REDIS = 10001, 10002, 10003
MAKER = os.getegid()


def main(folder: Path) -> None:
    keep(folder / "secret_key", APP, secrets.token_urlsafe(50))

    password = keep(folder / "postgres_password", POSTGRES, secrets.token_urlsafe(32))
    keep(folder / "database_url", APP, f"postgres://rooms:{password}@postgres:5432/rooms")

    password = keep(folder / "redis_password", MAKER, secrets.token_urlsafe(32))
    keep(folder / "redis_url", APP, f"redis://:{password}@redis:6379/0")
    keep(folder / "redis.acl", REDIS, access_list(password))


def keep(path: Path, group: int, content: str) -> str:
    """The file's content, written if it was not there: whole or not at all, and by one of several writers."""
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=path.parent) as draft:
            draft.write(content)
            draft.flush()
            os.chown(draft.name, -1, group)
            os.chmod(draft.name, 0o440)
            os.fsync(draft.fileno())
            with suppress(FileExistsError):
                os.link(draft.name, path)
    return path.read_text()


def access_list(password: str) -> str:
    """Redis's users: the application, which may not administer the server, and the health check, which may ping."""
    digest = hashlib.sha256(password.encode()).hexdigest()
    return (
        f"user default on #{digest} ~* &* +@all -@admin -@dangerous +info\n"
        "user health on nopass resetkeys resetchannels -@all +ping\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
