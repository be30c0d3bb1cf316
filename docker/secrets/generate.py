"""Writes the keys and passwords of the stack into a folder, once: a file that is there stays as it is.

    generate.py FOLDER               makes what is missing
    generate.py FOLDER secret_key    replaces that one by what comes in, as a restored database needs it
    generate.py FOLDER addresses     makes the addresses anew, where they hold other passwords than the files

Each file may be read by one group, which the containers that need it are members of. No secret is printed.
"""

import hashlib
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

APP, POSTGRES, REDIS, OWNER = 10001, 10002, 10003, 10004
MAKER = os.getegid()


def main(folder: Path, what: str = "") -> None:
    if what == "secret_key":
        replace(folder / what, APP, sys.stdin.read())
    if what == "addresses":
        for name in ("database_url", "migrate_database_url", "redis_url", "redis.acl"):
            (folder / name).unlink(missing_ok=True)

    keep(folder / "secret_key", APP, secrets.token_urlsafe(50))
    keep(folder / "vapid_key", APP, secrets.token_hex(32))

    password = keep(folder / "postgres_password", POSTGRES, password_in(folder / "database_url"))
    agree(keep(folder / "database_url", APP, f"postgres://rooms:{password}@postgres:5432/rooms"), password)

    password = keep(folder / "postgres_owner_password", POSTGRES, password_in(folder / "migrate_database_url"))
    address = f"postgres://rooms_owner:{password}@postgres:5432/rooms"
    agree(keep(folder / "migrate_database_url", OWNER, address), password)

    password = keep(folder / "redis_password", MAKER, password_in(folder / "redis_url"))
    agree(keep(folder / "redis_url", APP, f"redis://:{password}@redis:6379/0"), password)
    keep(folder / "redis.acl", REDIS, access_list(password))


def password_in(address: Path) -> str:
    """The one that the servers know already, where its own file was lost; else a new one."""
    known = urlsplit(address.read_text()).password if address.exists() else ""
    return known or secrets.token_urlsafe(32)


def agree(address: str, password: str) -> None:
    if f":{password}@" not in address:
        sys.exit(
            "The volume `secrets` has gone apart: an address in it has another password than the password's own file. "
            "`docker compose run --rm secrets python -I -S /generate.py /run/secrets addresses` makes them anew, then "
            "`docker compose restart postgres redis web ws` and `make up`."
        )


def keep(path: Path, group: int, content: str) -> str:
    """The file's content, written if it was not there: whole or not at all, and by one of several writers."""
    if not path.exists():
        with drafted(path, group, content) as draft, suppress(FileExistsError):
            os.link(draft, path)
    return path.read_text()


def replace(path: Path, group: int, content: str) -> None:
    with drafted(path, group, content) as draft:
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        os.link(draft, fresh)
        fresh.replace(path)


@contextmanager
def drafted(path: Path, group: int, content: str) -> Iterator[str]:
    """A file beside it, on the disk, for who gives it a name."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent) as draft:
        draft.write(content)
        draft.flush()
        os.chown(draft.name, -1, group)
        os.chmod(draft.name, 0o440)
        os.fsync(draft.fileno())
        yield draft.name


def access_list(password: str) -> str:
    """Redis's users: the application, which may not administer the server, and the health check, which may ping."""
    digest = hashlib.sha256(password.encode()).hexdigest()
    return (
        f"user default on #{digest} ~* &* +@all -@admin -@dangerous +info\n"
        "user health on nopass resetkeys resetchannels -@all +ping\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
