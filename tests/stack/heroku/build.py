"""A build on Heroku's side, as heroku.yml says: by the classic builder, with the Dockerfile's folder as its context."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from stack.compose import KEPT
from stack.heroku.app import App, Process
from stack.heroku.containers import docker
from stack.heroku.git import REJECTED

CLASSIC = {name: os.environ[name] for name in KEPT if name in os.environ} | {"DOCKER_BUILDKIT": "0"}


class BuildError(Exception):
    pass


def build_and_release(app: App, folder: Path, commit: str, tag: str) -> Iterator[str]:
    """What the pusher sees, line by line. A release phase that fails is no reason to refuse the push."""
    try:
        yield "=== Fetching app code\n"
        manifest = yaml.safe_load((folder / "heroku.yml").read_text())
        images: dict[str, str] = {}
        for kind, dockerfile in manifest["build"]["docker"].items():
            yield f"=== Building {kind} ({dockerfile})\n"
            yield from classic_build(folder / dockerfile, f"{tag}-{kind}")
            images[kind] = docker("image", "inspect", "--format", "{{.Id}}", f"{tag}-{kind}")
        yield "=== Releasing\n"
        release = app.release(f"Deploy {commit[:8]}", processes(manifest, images))
        yield "Running release command...\n"
        yield from release.output
        release.ended.wait()
        yield f"\nWaiting for release... {'done' if release.status == 'succeeded' else 'failed'}.\n"
    except BuildError:
        yield f"{REJECTED}Push rejected: the image cannot be built.\n"
    finally:
        shutil.rmtree(folder)


def classic_build(dockerfile: Path, tag: str) -> Iterator[str]:
    words = ["docker", "build", "--force-rm", "--tag", tag, "--file", str(dockerfile), str(dockerfile.parent)]
    with subprocess.Popen(words, env=CLASSIC, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as building:
        assert building.stdout
        yield from building.stdout
    if building.returncode:
        raise BuildError


def processes(manifest: Any, images: dict[str, str]) -> dict[str, Process]:
    """The commands are the file's; the release phase borrows another process's image."""
    found = {kind: Process(images[kind], command) for kind, command in manifest["run"].items()}
    phase = manifest["release"]
    (command,) = phase["command"]
    return found | {"release": Process(images[phase["image"]], command)}
