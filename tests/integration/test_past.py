"""The archive of docker/archive.yml: from it comes the database as it was at a moment, or a sentence why not."""

import io
import os
import runpy
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from integration.test_doctor import doctor
from servers.app import Image, environment
from servers.postgres import PASSWORD, Database, Postgres, program

FOLDER = Path(__file__).parents[2] / "docker/postgres"
Reader = runpy.run_path(str(FOLDER / "backup/archive.py"))["Reader"]
OWNER = "postgres" if os.getuid() == 0 else None  # Postgres refuses root


class Archived:
    """A server that archives, and what one types in its container."""

    def __init__(self, folder: Path) -> None:
        self.archive, self.scratch = folder / "archive", folder / "scratch"
        for path in (self.archive, self.scratch):
            path.mkdir()
            path.chmod(0o777)
        # As in the image, where anybody may read it.
        self.programs = shutil.copytree(FOLDER, folder / "postgres", ignore=shutil.ignore_patterns("__pycache__"))
        self.python = shutil.which("python3", path="/usr/bin:/usr/local/bin") or "python3"
        programs = f"{Path(program('postgres')).parent}:{os.environ['PATH']}"
        self.env = {"PATH": programs, "ARCHIVE": str(self.archive), "SCRATCH": str(self.scratch), "LANG": "C.UTF-8"}
        keep = f"env PGDATA=. ARCHIVE={self.archive} PATH={programs} {self.programs}/wal.sh keep %p %f"
        self.server = Postgres(archive_mode="on", archive_command=keep)
        self.env |= {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.server.port),
            "PGPASSWORD": PASSWORD,
            "WAL": f"{self.programs}/wal.sh",
        }
        self.env |= {"PGDATA": f"{self.server.folder.name}/data", "PGUSER": "postgres"}

    def start(self) -> None:
        self.server.start()
        self.rooms = Database(self.server.create_database("rooms"))
        self.rooms.do(
            f"CREATE ROLE postgres SUPERUSER LOGIN PASSWORD '{PASSWORD}'", "CREATE TABLE said (at serial, body text)"
        )

    def run(self, *command: str) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(command, env=self.env, user=OWNER, capture_output=True, cwd="/", timeout=300)

    def wal(self, *arguments: str) -> str:
        """What it said; it succeeds."""
        done = self.run(str(self.programs / "wal.sh"), *arguments)
        assert done.returncode == 0, done.stderr.decode()
        return done.stderr.decode()

    def say(self, body: str) -> datetime:
        """A moment behind which nothing has been said."""
        self.rooms.do(f"INSERT INTO said (body) VALUES ('{body}')")
        [(moment,)] = self.rooms.rows("SELECT clock_timestamp()")
        return moment

    def backup(self, moment: str) -> "subprocess.CompletedProcess[bytes]":
        command = [self.python, "-I", "-S", str(self.programs / "backup"), "make", "--commit=x", "--free=1000000000"]
        return self.run(*command, f"--until={moment}")

    def bodies(self, moment: str) -> list[str]:
        """What had been said by then."""
        done = self.backup(moment)
        assert done.returncode == 0, done.stderr.decode()
        dump = b"".join(Reader(io.BytesIO(done.stdout)).pieces())
        command = [program("pg_restore"), "--data-only", "--table=said", "--file=-"]
        script = subprocess.run(command, input=dump, capture_output=True, check=True).stdout.decode()
        return [line.split("\t")[1] for line in script.splitlines() if "\t" in line]

    def refused(self, moment: str) -> str:
        done = self.backup(moment)
        assert (done.returncode, done.stdout) == (1, b"")
        return done.stderr.decode().splitlines()[-1]

    def kept(self, folder: str) -> list[str]:
        return sorted(path.name for path in self.archive.glob(f"*/{folder}/*@*"))


@pytest.fixture(scope="module")
def archived() -> Iterator[Archived]:
    with tempfile.TemporaryDirectory(prefix="archive-") as name:
        os.chmod(name, 0o755)
        archived = Archived(Path(name))
        archived.start()
        try:
            yield archived
        finally:
            archived.server.stop()
            archived.server.folder.cleanup()


@pytest.fixture(scope="module")
def moments(archived: Archived) -> dict[str, datetime]:
    """Two copies, and what alice said before and after each of them."""
    moments = {"before all": archived.say("zero")}
    archived.wal("base", "7")
    moments["one"] = archived.say("one")
    moments["two"] = archived.say("two")
    archived.wal("base", "7")
    moments["three"] = archived.say("three")
    archived.wal("reach")
    return moments


@pytest.mark.parametrize(("moment", "said"), [("two", "zero one two"), ("three", "zero one two three")])
def test_what_alice_had_said_by_then_is_there_and_nothing_else(
    archived: Archived, moments: dict[str, datetime], moment: str, said: str
) -> None:
    assert archived.bodies(moments[moment].isoformat()) == said.split()
    assert list(archived.scratch.iterdir()) == []


def test_a_moment_without_a_zone_is_utc(archived: Archived, moments: dict[str, datetime]) -> None:
    there = moments["one"].astimezone(UTC).replace(tzinfo=None)
    assert archived.bodies(there.isoformat(sep=" ")) == ["zero", "one"]


def test_a_moment_that_the_archive_does_not_hold_is_refused(archived: Archived, moments: dict[str, datetime]) -> None:
    assert "The archive begins at 20" in archived.refused(moments["before all"].isoformat())
    assert "lies in the future" in archived.refused((datetime.now(UTC) + timedelta(hours=1)).isoformat())
    assert "UNTIL is no moment: 'noon'" in archived.refused("noon")
    said = archived.refused(datetime.now(UTC).isoformat())
    assert "The archive ends before that moment, at 20" in said
    assert "UNTIL=latest takes all of it. There is no backup." in said


def test_a_damaged_archive_is_no_end_of_what_was_written(archived: Archived, moments: dict[str, datetime]) -> None:
    """A file that cannot be read is not taken for one that is not there."""
    newest = sorted(archived.archive.glob("*/wal/*@*"))[-1]
    whole = newest.read_bytes()
    newest.write_bytes(whole[: len(whole) // 2])
    try:
        assert "cannot be replayed" in archived.refused("latest")
    finally:
        newest.write_bytes(whole)


def test_a_file_is_kept_once_and_never_replaced_by_another(archived: Archived, moments: dict[str, datetime]) -> None:
    name, before = "0000000A0000000000000001", archived.kept("wal")
    with tempfile.NamedTemporaryFile() as file:
        os.chmod(file.name, 0o644)
        file.write(b"as Postgres wrote it")
        file.flush()
        archived.wal("keep", file.name, name)
        archived.wal("keep", file.name, name)
        assert len(archived.kept("wal")) == len(before) + 1
        file.write(b"and another one")
        file.flush()
        done = archived.run(str(archived.programs / "wal.sh"), "keep", file.name, name)
    assert done.returncode == 1
    assert b"does a second server archive here?" in done.stderr
    for path in archived.archive.glob(f"*/wal/{name}@*"):
        path.unlink()


def test_the_doctor_says_whether_what_is_written_reaches_the_archive(
    archived: Archived, moments: dict[str, datetime], image: Image
) -> None:
    env, away = environment(DATABASE_URL=archived.rooms.url), archived.archive.with_name("away")
    archived.archive.rename(away)
    try:
        write_until(archived, "last_failed_time > last_archived_time")
        told = doctor(image, env).of("broken")["archiving"]
    finally:
        away.rename(archived.archive)
    assert "Postgres archives nothing since 20" in told
    assert "`docker compose logs postgres` says why" in told
    write_until(archived, "last_archived_time > last_failed_time")
    assert "What Postgres writes is archived, the last of it at 20" in doctor(image, env).of("ok")["archiving"]


def write_until(archived: Archived, state: str) -> None:
    deadline = time.monotonic() + 120
    while archived.rooms.rows(f"SELECT {state} FROM pg_stat_archiver") != [(True,)]:
        assert time.monotonic() < deadline, state
        archived.rooms.do("SELECT pg_current_xact_id()", "SELECT pg_switch_wal()")
        time.sleep(0.2)


def test_what_no_wanted_moment_needs_goes_with_the_next_copy(archived: Archived, moments: dict[str, datetime]) -> None:
    archived.say("four")
    before = set(archived.kept("wal"))
    assert "There is a way back to any moment since 20" in archived.wal("base", "0")
    assert len(archived.kept("base")) == 1
    first = archived.kept("base")[0].partition("@")[2].partition(".")[0]
    assert min(archived.kept("wal")) >= first
    assert before - set(archived.kept("wal"))
    assert archived.bodies("latest")[-1] == "four"
    assert "The archive begins at 20" in archived.refused(moments["three"].isoformat())
