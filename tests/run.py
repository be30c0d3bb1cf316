"""Run the test suites one after another and say in one line for each how it went.

    python tests/run.py [unit] [integration] [e2e] [stack] [nightly]

Without a name it is all but `nightly`: tests of the other suites that take long and seldom find what those do not.
A suite that cannot run on this machine says what is missing. With CI=true that is a failure, and so is a skipped
test. The Docker engine is ended again if it was not there before.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from xml.etree import ElementTree

from servers.process import descendants

TESTS = Path(__file__).resolve().parent
REPORTS = TESTS.parent / ".run" / "reports"
ENGINE = TESTS / "stack" / "engine.sh"
SERVERS = ("postgres", "redis", "nginx", "pgbouncer")
BROWSER = ("chromium", "chinese-font")
DAILY = {
    "unit": (),
    "integration": (*SERVERS, "prometheus", "caddy"),
    "e2e": SERVERS + BROWSER,
    "stack": (*BROWSER, "docker-registry", "pebble", "certutil"),
}
PROGRAMS = DAILY | {"nightly": (*SERVERS, "podman")}
ON_ENGINE = {"stack", "nightly"}
PR_SET_CHILD_SUBREAPER = 36
CI = os.environ.get("CI") == "true"


class CannotRunError(Exception):
    """The sentence says what the machine lacks."""


def main(suites: list[str]) -> int:
    unknown = set(suites) - set(PROGRAMS)
    if unknown:
        sys.exit(f"There is no suite {', '.join(sorted(unknown))}: choose of {', '.join(PROGRAMS)}.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Terminated."))
    REPORTS.mkdir(parents=True, exist_ok=True)
    results = [outcome(suite) for suite in suites or DAILY]
    print("", *(line for line, _ in results), sep="\n")
    return int(not all(good for _, good in results))


def outcome(suite: str) -> tuple[str, bool]:
    """The suite's line of summary, and whether the run may be green."""
    print(f"\n--- {suite} ---", flush=True)
    started = time.monotonic()
    adopt_orphans(suite not in ON_ENGINE)
    try:
        with prepared(suite):
            status = pytest(suite)
    except CannotRunError as missing:
        return f"{suite:12} cannot run: {missing}", not CI
    total, skipped = counted(suite)
    seconds = f"{total - skipped} tests in {time.monotonic() - started:.0f} s"
    if status:
        return f"{suite:12} FAILED: {seconds}, pytest's exit status is {status}", False
    if skipped:
        return f"{suite:12} passed: {seconds}, and {skipped} could not run", not CI
    return f"{suite:12} passed: {seconds}", True


@contextmanager
def prepared(suite: str) -> Iterator[None]:
    """The programs and the engine that the suite needs."""
    if PROGRAMS[suite]:
        provide([str(TESTS / "setup.sh"), *PROGRAMS[suite]])
    if suite not in ON_ENGINE:
        yield
        return
    was_up = subprocess.run([ENGINE, "status"], capture_output=True).returncode == 0
    provide([str(ENGINE), "up"])
    try:
        yield
    finally:
        if not was_up:
            subprocess.run([ENGINE, "down"], check=False)


def provide(command: list[str]) -> None:
    """What the command says on standard error is shown, and its last line is the reason if it fails."""
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as process:
        assert process.stderr
        last = ""
        for line in process.stderr:
            last = line.strip() or last
            print(line, end="", file=sys.stderr, flush=True)
    if process.returncode:
        raise CannotRunError(last)


def pytest(suite: str) -> int:
    """Its exit status; 5, no test collected, is a failure like the others."""
    report = REPORTS / f"{suite}.xml"
    report.unlink(missing_ok=True)
    process = subprocess.Popen([sys.executable, "-m", "pytest", f"--junitxml={report}", *options(suite)])
    try:
        return process.wait()
    except SystemExit:  # SIGTERM came to this process alone; Ctrl-C reaches pytest too
        process.send_signal(signal.SIGINT)
        raise
    finally:
        process.wait()  # it ends the servers that it started
        if suite not in ON_ENGINE:
            end_what_is_left()


def adopt_orphans(yes: bool) -> None:
    """What a process leaves behind becomes a child of this one, to be ended by it.

    Not what an engine leaves: this one looks for their ends at the end alone, and an engine takes what has ended, and
    is still somebody's child, for running.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, int(yes))


def end_what_is_left() -> None:
    """Of several processes that test, one that is slow in leaving is killed, and its servers would go on."""
    while left := descendants(os.getpid()):
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def options(suite: str) -> list[str]:
    """Which tests, and how many files of them at once: those of the engine share it."""
    if suite == "nightly":
        return ["-m", "nightly", *(str(TESTS / each) for each in DAILY)]
    together = ["--timeout=900"] if suite == "stack" else ["--numprocesses=2", "--dist=loadfile"]
    return ["-m", "not nightly", *together, str(TESTS / suite)]


def counted(suite: str) -> tuple[int, int]:
    """How many tests there were, and how many of them were skipped."""
    report = REPORTS / f"{suite}.xml"
    if not report.exists():
        return 0, 0
    found = ElementTree.parse(report).getroot().find("testsuite")
    assert found is not None
    return int(found.get("tests", 0)), int(found.get("skipped", 0))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
