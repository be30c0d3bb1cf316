"""One server process: started, awaited until ready, watched, and ended by its own pid."""

import atexit
import os
import signal
import subprocess
import tempfile
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

READY_SECONDS = 120
STOP_SECONDS = 60

_logs = tempfile.TemporaryDirectory(prefix="servers-")
_all: "weakref.WeakSet[Process]" = weakref.WeakSet()


class Process:
    """`ready()` is polled after each start; whatever the process prints is kept in one file."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        ready: Callable[[], bool],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
    ) -> None:
        self.name, self.command, self.ready = name, list(command), ready
        self.env, self.cwd, self.user = env, cwd, user
        self._log = Path(tempfile.mkstemp(prefix=f"{name}-", suffix=".log", dir=_logs.name)[1])
        self._mark = 0
        self._child: subprocess.Popen[bytes] | None = None
        _all.add(self)

    def start(self) -> "Process":
        self.launch()
        self.wait_ready()
        return self

    def launch(self) -> None:
        """Start it without waiting, so that several can come up together."""
        assert not self.alive, f"{self.name} is already running"
        # Appended to, because a server may open its standard output once more by name.
        with self._log.open("ab") as output:
            self._child = subprocess.Popen(
                self.command,
                env=self.env,
                cwd=self.cwd,
                user=self.user,
                group=self.user,
                extra_groups=[] if self.user else None,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not self.ready():
            if not self.alive or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} is not ready:\n{self.output()}")
            time.sleep(0.02)

    @property
    def pid(self) -> int:
        assert self._child, f"{self.name} was not started"
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def stop(self, seconds: float = STOP_SECONDS) -> int:
        """SIGTERM, and SIGKILL when it does not leave in time; its exit code (-9 after SIGKILL)."""
        if self.alive:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
        return self.wait_end(seconds)

    def kill(self) -> None:
        """SIGKILL it with all its children, as a power cut would."""
        for pid in [self.pid, *descendants(self.pid)] if self.alive else []:
            _signal(pid, signal.SIGKILL)
        self.wait_end(STOP_SECONDS)

    def restart(self) -> None:
        self.stop()
        self.start()

    def pause(self) -> None:
        """SIGSTOP: it keeps its connections and answers nothing."""
        for pid in [self.pid, *descendants(self.pid)]:
            _signal(pid, signal.SIGSTOP)

    def resume(self) -> None:
        for pid in [*descendants(self.pid), self.pid]:
            _signal(pid, signal.SIGCONT)

    def signal(self, number: int) -> None:
        """To the process alone, not to its children."""
        _signal(self.pid, number)

    def wait_end(self, seconds: float) -> int:
        if self._child is None:
            return 0
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            for pid in [self.pid, *descendants(self.pid)]:
                _signal(pid, signal.SIGKILL)
            return self._child.wait()

    def output(self) -> str:
        return self._log.read_text(errors="replace")

    def raw_output(self) -> bytes:
        return self._log.read_bytes()

    def mark(self) -> None:
        """What was printed so far is old."""
        self._mark = self._log.stat().st_size

    def output_since_mark(self, most: int = 6_000) -> str:
        return self._log.read_bytes()[self._mark :].decode(errors="replace")[-most:]


def everything() -> list[Process]:
    """Every process object that somebody still holds, by name."""
    return sorted(_all, key=lambda process: process.name)


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def descendants(pid: int) -> list[int]:
    """Children and theirs, by asking the kernel; empty for a process that has gone."""
    try:
        children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return children + [grandchild for child in children for grandchild in descendants(child)]


@atexit.register
def _end_all() -> None:
    for process in everything():
        if process.alive:
            process.kill()
