"""The settings, and the machine that the process runs on."""

import resource
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.conf import settings as django_settings
from django.core.checks import ERROR, WARNING, CheckMessage, run_checks
from django.db import connection

from realtime import capacity
from topics.conf import settings
from topics.doctor.findings import Finding, broken, doubtful, ok

# What Django says of a site without HTTPS in four sentences; realtime.deployment says it in one.
WITHOUT_HTTPS: Final = {"security.W004", "security.W008", "security.W012", "security.W016"}
MOUNTS: Final = Path("/proc/mounts")
FULL_BYTES: Final = 100 * 2**20  # free: less is a full disk soon,
TIGHT_BYTES: Final = 2**30  # and less than this is worth a look


def settings_fit() -> Iterator[Finding]:
    """Django's system checks, for a deployment those of `check --deploy` too; not what settings.py silences."""
    found = [each for each in run_checks(include_deployment_checks=not django_settings.DEBUG) if not each.is_silenced()]
    if not django_settings.SECURE_SSL_REDIRECT:
        found = [message for message in found if message.id not in WITHOUT_HTTPS]
    told = list(as_findings(found))
    yield from told or [ok("The settings fit together.")]


def as_findings(messages: list[CheckMessage]) -> Iterator[Finding]:
    for message in messages:
        says, mend = " ".join(message.msg.split()), " ".join((message.hint or "").split())
        mend = mend or f"Search for {message.id} in Django's list of system checks."
        if message.level >= ERROR:
            yield broken(says, mend)
        elif message.level >= WARNING:
            yield doubtful(says, mend)


def open_files() -> Iterator[Finding]:
    """Each socket takes one. A server raises its soft limit to the hard one by itself."""
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = capacity.OPEN_AT_THE_START + capacity.kept() + capacity.ARRIVING
    wanted = settings.MAX_SOCKETS + taken
    if limit == resource.RLIM_INFINITY or limit >= wanted:
        yield ok(f"MAX_SOCKETS={settings.MAX_SOCKETS} fits into the limit of open files.")
        return
    mend = f"Raise it to {wanted} (ulimit -n, LimitNOFILE= of systemd, nofile in docker-compose.yml)"
    if limit <= taken:
        yield broken(f"The limit of open files is {limit}, which leaves no room for a single socket.", f"{mend}.")
    else:
        says = (
            f"The limit of open files is {limit}: {limit - taken} sockets fit, and MAX_SOCKETS={settings.MAX_SOCKETS}."
        )
        yield doubtful(says, f"{mend}, or set MAX_SOCKETS={limit - taken}.")


def disk() -> Iterator[Finding]:
    """Of what this process sees. In a container the first is the disk on which Docker keeps everything, volumes too."""
    for place in places():
        free = shutil.disk_usage(place).free
        says, mend = (
            f"{free // 2**20} MB are free at {place}.",
            "Make room: `docker system df` or `du -xh --max-depth 2 /`.",
        )
        if free < FULL_BYTES:
            yield broken(says, mend)
        elif free < TIGHT_BYTES:
            yield doubtful(says, mend)
        else:
            yield ok(says)


def places() -> list[Path]:
    """One of each file system."""
    wanted = [Path("/"), Path(tempfile.gettempdir())]
    if connection.vendor == "sqlite" and Path(name := str(connection.settings_dict["NAME"])).exists():
        wanted.append(Path(name).resolve().parent)
    disks = {path.stat().st_dev: path for path in reversed(wanted)}
    return [path for path in reversed(disks.values()) if not is_memory(path)]


def is_memory(path: Path) -> bool:
    """A container's /tmp is small on purpose."""
    mounts = MOUNTS.read_text().splitlines() if MOUNTS.exists() else []
    return [str(path), "tmpfs"] in [line.split()[1:3] for line in mounts]
