"""Writes a backup to standard output, or fills an empty database from one on standard input.

    backup make --commit X --free BYTES [--key K] [--until MOMENT]
    backup restore --database NAME --free BYTES --size BYTES

docker/backup.sh and docker/restore.sh run it in a container of its own; people read what it says on standard error.
Both read the secret key for decryption, or an empty line, in base64: `make` for the archive that a past moment comes
from, `restore` for the file behind it. `restore` prints the key that the backup holds for the volume `secrets`. Exit
status 1: one sentence says why.
"""

import argparse
import base64
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn

from archive import Reader, Unfit, Writer
from database import DatabaseError, Session, differences, inventory, last_line, login, size_of_rows
from encryption import Counted, Written, decrypted, encrypted
from past import past

SECRETS: Final = Path("/run/secrets")
TELL_SECONDS: Final = 5.0
# Rows in a database again, with their indexes, of what `about` says of the rows.
GROWTH: Final = 2


def main() -> None:
    asked = arguments()
    try:
        if asked.command == "make":
            with source(asked) as env:
                make(asked, env)
        else:
            restore(asked)
    except Unfit as error:
        fail(asked, f"{error}.")
    except DatabaseError as error:
        fail(asked, f"Postgres does not do it: {error}.")
    except KeyboardInterrupt:
        fail(asked, "Interrupted.")
    except BrokenPipeError:
        fail(asked, "The backup cannot be written: the disk is full, or whoever reads it has gone.")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="backup")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, options in {"make": ("commit", "key", "until"), "restore": ("database", "size")}.items():
        command = commands.add_parser(name)
        command.add_argument("--free", type=int, required=True)
        for option in options:
            command.add_argument(f"--{option}", type=int if option == "size" else str, default="")
    return parser.parse_args()


def say(command: str, text: str) -> None:
    print(f"{'backup' if command == 'make' else command}: {text}", file=sys.stderr, flush=True)


def fail(asked: argparse.Namespace, sentence: str) -> NoReturn:
    say(asked.command, f"{sentence} {'There is no backup.' if asked.command == 'make' else 'Nothing was changed.'}")
    os._exit(1)  # a tar that was not ended ends itself otherwise, as if it were whole


class Progress:
    """A line every few seconds."""

    def __init__(self, command: str) -> None:
        self._command, self._next = command, time.monotonic() + TELL_SECONDS

    def tell(self, text: str) -> None:
        if time.monotonic() >= self._next:
            say(self._command, text)
            self._next = time.monotonic() + TELL_SECONDS


def readable(size: float) -> str:
    for unit in ("bytes", "KB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def url(file: str) -> str:
    return (SECRETS / file).read_text()


# --- make ---


@contextmanager
def source(asked: argparse.Namespace) -> Iterator[dict[str, str]]:
    """How Postgres' programs reach the database: the one that runs, or that of a past moment."""
    if not asked.until:
        yield login(url("database_url"))
        return
    identity = base64.b64decode(sys.stdin.buffer.readline())
    with past(asked.until, identity, lambda text: say("make", text), Progress("make").tell) as env:
        yield env


def make(asked: argparse.Namespace, env: dict[str, str]) -> None:
    session = Session(env)
    snapshot = session.ask("SELECT pg_export_snapshot()")
    size = size_of_rows(session)
    if size > asked.free:
        raise Unfit(
            f"The disk has {readable(asked.free)} free, and the rows alone take up to {readable(size)}: "
            "DIR=path puts the backup elsewhere"
        )
    about = {
        "made_at": asked.until or datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": asked.commit,
        "postgres": session.ask("SHOW server_version"),
        "bytes": size,
    }
    written = Written(sys.stdout.buffer)
    with encrypted(written, asked.key) as out:
        writer = Writer(out)
        writer.begin(about, key_of_the_stack())
        dump(writer, env, snapshot)
        say("make", "counting what it must hold")
        manifest = inventory(session, Progress("make").tell)
        writer.end(manifest)
    session.close()
    sys.stdout.buffer.flush()
    say("make", f"{summary(manifest)}: {written.count} bytes written")


def key_of_the_stack() -> bytes | None:
    file = SECRETS / "secret_key"
    return file.read_bytes() if file.exists() else None


def dump(writer: Writer, env: dict[str, str], snapshot: str) -> None:
    with tempfile.TemporaryFile("w+") as said:
        command = ["pg_dump", "--format=custom", f"--snapshot={snapshot}"]
        process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=said)
        assert process.stdout
        written, progress = 0, Progress("make")
        for size in writer.dump(process.stdout):
            written += size
            progress.tell(f"{readable(written)} so far")
        if process.wait():
            said.seek(0)
            raise DatabaseError(last_line(said.read()))


# --- restore ---


def restore(asked: argparse.Namespace) -> None:
    source = sys.stdin.buffer
    identity = base64.b64decode(source.readline())
    counted = Counted(source)
    env = login(url("migrate_database_url"), asked.database)
    with decrypted(counted, identity) as file:
        reader = Reader(file)
        refuse_what_cannot_be(reader.about, asked.free)
        say("restore", f"made at {reader.about.get('made_at')} of version {reader.about.get('commit')}")
        said = load(reader, env, counted, asked.size)
        manifest = reader.manifest()
        if said:
            raise DatabaseError(said)
    say("restore", "comparing it with what it must hold")
    compare(manifest, env)
    say("restore", summary(manifest))
    sys.stdout.buffer.write(reader.key or b"")


def refuse_what_cannot_be(about: dict[str, Any], free: int) -> None:
    theirs, ours = (int(str(each).split(".")[0]) for each in (about.get("postgres", 0), own_version()))
    if theirs > ours:
        raise Unfit(f"The backup was made by Postgres {theirs}, and this is {ours}: take the version that it is of")
    needed = GROWTH * int(about.get("bytes", 0))
    if needed > free:
        raise Unfit(f"Postgres' disk has {readable(free)} free, and the backup needs up to {readable(needed)}")


def own_version() -> str:
    said = subprocess.run(["pg_restore", "--version"], capture_output=True, text=True, check=True).stdout
    return said.split()[2]


def load(reader: Reader, env: dict[str, str], counted: Counted, size: int) -> str:
    """What pg_restore said if it failed: where the file proves to be damaged, that is the reason. All is read."""
    with tempfile.TemporaryFile("w+") as said:
        # `rooms_owner` owns all that it makes, and the servers may there what they may in every database.
        command = ["pg_restore", "--exit-on-error", "--no-owner", "--no-privileges", f"--dbname={env['PGDATABASE']}"]
        process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stderr=said)
        assert process.stdin
        progress, hears = Progress("restore"), True
        try:
            for piece in reader.pieces():
                hears = hears and handed(process, piece)
                progress.tell(f"{100 * counted.count // max(size, 1)} %")
        finally:
            if hears:
                handed(process, b"")
            process.wait()
        said.seek(0)
        return last_line(said.read()) if process.returncode else ""


def handed(process: "subprocess.Popen[bytes]", piece: bytes) -> bool:
    """Without a piece, that there is no more. False: it has ended before."""
    assert process.stdin
    try:
        if piece:
            process.stdin.write(piece)
        else:
            process.stdin.close()
    except BrokenPipeError:
        return False
    return True


def compare(manifest: dict[str, Any], env: dict[str, str]) -> None:
    session = Session(env)
    found = inventory(session, Progress("restore").tell)
    session.close()
    # Not for what the server's own tables are like, of which each would be said that it may not be looked at.
    analyze = ["psql", "--no-psqlrc", "--quiet", "--command=SET client_min_messages = error", "--command=ANALYZE"]
    subprocess.run(analyze, env=env, check=True)
    if wrong := differences(manifest, found):
        raise Unfit(f"What was restored is not what was backed up: {', '.join(wrong[:3])}")


def summary(manifest: dict[str, Any]) -> str:
    tables, ends = manifest["tables"], manifest["ends"]
    return (
        f"{sum(tables.values()):,} rows in {len(tables)} tables, "
        f"{ends.get('logs', 0):,} topics, the last numbers of which add up to {ends.get('events', 0):,}"
    )


if __name__ == "__main__":
    main()
