"""The docker command, started without a shell, in the folder of docker-compose.yml; and sentences for who waits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINES = 30


def say(sentence: str) -> None:
    print(f"swarm: {sentence}", file=sys.stderr, flush=True)


def docker(*words: str, given: bytes = b"", seconds: float | None = None) -> bytes:
    """What it printed. Raises Failed."""
    try:
        done = subprocess.run(("docker", *words), cwd=ROOT, input=given, capture_output=True, timeout=seconds)
    except OSError:
        raise Failed("docker is missing: https://docs.docker.com/engine/install/") from None
    except subprocess.TimeoutExpired:
        raise Failed(f"`docker {' '.join(words[:2])}` was not done after {seconds:.0f} s.") from None
    if done.returncode:
        raise Failed((done.stdout + done.stderr).decode(errors="replace"))
    return done.stdout


class Failed(Exception):
    """What a command said before it failed."""

    def show(self) -> None:
        print("\n".join(str(self).splitlines()[-LINES:]), file=sys.stderr, flush=True)


def text(*words: str) -> str:
    return docker(*words).decode().strip()
