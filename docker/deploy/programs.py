"""Other programs, started without a shell and without anything to read; and sentences for who waits for them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]  # where all of them run
MISSING = 127  # the status of what cannot be started, as shells have it
STEP_SECONDS = 1
LINES = 30


class Refused(Exception):
    """The deployment ends here. The sentence says what to do."""


def say(sentence: str) -> None:
    print(f"deploy: {sentence}", file=sys.stderr, flush=True)


def run(*words: str, aloud: bool = False) -> subprocess.CompletedProcess[bytes]:
    """What it printed, and its status. `aloud`, people see what it has to complain of."""
    complaints = None if aloud else subprocess.DEVNULL
    try:
        return subprocess.run(words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints)
    except OSError:
        return subprocess.CompletedProcess(words, MISSING, b"")


def works(*words: str) -> bool:
    return run(*words).returncode == 0


def shown(*words: str) -> bool:
    """Whether it succeeded. People see what it says while it says it."""
    return subprocess.run(words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode == 0


def show_end(said: str) -> None:
    print("\n".join(said.splitlines()[-LINES:]), file=sys.stderr, flush=True)


def within(seconds: float, is_so: Callable[[], bool]) -> bool:
    """Whether it has become so in time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() >= deadline:
            return False
        time.sleep(STEP_SECONDS)
    return True
