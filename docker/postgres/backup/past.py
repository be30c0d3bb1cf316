"""The database of a past moment: a whole copy from the archive, and what was written since, replayed up to there.

A server of its own does that in this container, in a folder that ends with it. docker/archive.yml brings the archive.
"""

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from archive import Unfit

ARCHIVE: Final = Path(os.environ.get("ARCHIVE", "/archive"))
SCRATCH: Final = Path(os.environ.get("SCRATCH", "/scratch"))
WAL: Final = os.environ.get("WAL", "/usr/local/bin/wal.sh")
LATEST: Final = "latest"
ENDED: Final = "%Y%m%dT%H%M%S.%fZ"
SETTINGS: Final = {
    "port": "5432",
    "listen_addresses": "",
    "unix_socket_directories": str(SCRATCH),
    "archive_mode": "off",
    "hot_standby": "off",  # nobody is let in before the moment
    "recovery_target_action": "promote",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "lc_messages": "C",
    "fsync": "off",  # whatever happens, it is thrown away
}


@dataclass(frozen=True, order=True)
class Copy:
    """One that serves from the moment on at which it was ended."""

    ended: datetime
    file: Path

    @property
    def archive(self) -> Path:
        return self.file.parent.parent


def moment(text: str) -> datetime | None:
    """What UNTIL says, None for all that there is; UTC where no offset stands behind it."""
    if text == LATEST:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Unfit(
            f'UNTIL is no moment: {text!r}, but 2026-11-29T12:00 (UTC), 2026-11-29T12:00+01:00, or "latest"'
        ) from None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    if found > datetime.now(UTC):
        raise Unfit(f"UNTIL={text} lies in the future: it is {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
    return found


def copies() -> list[Copy]:
    found = []
    for file in ARCHIVE.glob("*/base/*@*"):
        ended = datetime.strptime(file.name.partition("@")[0], ENDED).replace(tzinfo=UTC)
        found.append(Copy(ended, file))
    return sorted(found)


def chosen(until: datetime | None) -> Copy:
    """The newest that is older than the moment."""
    there = copies()
    if not there:
        raise Unfit("The archive holds no copy to begin from: `make archive` makes one")
    before = [copy for copy in there if until is None or copy.ended <= until]
    if not before:
        raise Unfit(f"The archive begins at {there[0].ended:%Y-%m-%d %H:%M:%S} UTC")
    return before[-1]


@contextmanager
def past(
    text: str, identity: bytes, say: Callable[[str], None], tell: Callable[[str], None]
) -> Iterator[dict[str, str]]:
    """An environment for Postgres' programs, by which they reach the database as it was."""
    until = moment(text)
    copy = chosen(until)
    if copy.file.suffix == ".age" and not identity:
        raise Unfit("The archive is encrypted: IDENTITY=path of the secret key that belongs to it")
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder, tempfile.NamedTemporaryFile() as key:
        key.write(identity)
        key.flush()
        data = Path(folder)
        env = {**os.environ, "ARCHIVE": str(copy.archive), "IDENTITY": key.name}
        say(f"unpacking the copy of {copy.ended:%Y-%m-%d %H:%M:%S} UTC")
        unpack(copy.file, data, env)
        say("replaying what was written since")
        with server(data, until, env, tell):
            yield {**env, "PGHOST": str(SCRATCH), "PGPORT": "5432", "PGUSER": "postgres", "PGDATABASE": "rooms"}


def unpack(file: Path, data: Path, env: dict[str, str]) -> None:
    with tempfile.TemporaryFile("w+") as said:
        source = subprocess.Popen([WAL, "unpack", str(file)], env=env, stdout=subprocess.PIPE, stderr=said)
        tar = subprocess.run(["tar", "--extract", f"--directory={data}"], stdin=source.stdout, stderr=said)
        assert source.stdout
        source.stdout.close()
        if source.wait() or tar.returncode:
            said.seek(0)
            raise Unfit(f"The copy cannot be unpacked: {first(said.read())}")
    (data / "recovery.signal").touch()


@contextmanager
def server(data: Path, until: datetime | None, env: dict[str, str], tell: Callable[[str], None]) -> Iterator[None]:
    settings = SETTINGS | {"restore_command": f"{WAL} fetch %f %p"}
    if until:
        settings["recovery_target_time"] = until.isoformat()
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with tempfile.NamedTemporaryFile("w+", dir=SCRATCH) as log:
        process = subprocess.Popen(["postgres", "-D", str(data), *options], env=env, stdout=log, stderr=log)
        try:
            while not answers(env):
                said = Path(log.name).read_text(errors="replace")
                if process.poll() is not None:
                    raise Unfit(reason(said))
                tell(f"{len(re.findall('restored log file', said))} files so far")
                time.sleep(0.1)
            yield
        finally:
            process.send_signal(signal.SIGINT)  # does not wait for clients
            process.wait()


def answers(env: dict[str, str]) -> bool:
    command = ["pg_isready", "--quiet", f"--host={SCRATCH}", "--port=5432"]
    return subprocess.run(command, env=env).returncode == 0


def reason(said: str) -> str:
    """Why the server has ended before it came to the moment, by its log."""
    if "before configured recovery target was reached" in said:
        last = re.findall(r"last completed transaction was at log time (\S+ \S+)", said)
        ends = f"at {last[-1]} UTC" if last else "with its copy"
        return f"The archive ends before that moment, {ends}: UNTIL=latest takes all of it"
    fatal = re.findall(r"(?:FATAL|PANIC): +(.+)", said)
    return f"What was written since cannot be replayed: {fatal[-1] if fatal else first(said)}"


def first(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    return lines[0].removeprefix("age: ").removeprefix("error: ") if lines else "it says nothing"
