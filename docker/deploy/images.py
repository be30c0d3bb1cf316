"""The two images of a release: one serves, the other is the same with the command that migrates."""

from __future__ import annotations

import json
import subprocess

from deploy.heroku import HOST
from deploy.programs import ROOT, Refused, run, show_end
from deploy.wanted import RELEASE_COMMAND

REGISTRY = f"registry.{HOST}"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"  # the only one that Heroku takes
BUILD = ("docker", "buildx", "build", "--platform", "linux/amd64", "--provenance=false", "--sbom=false")
# An OCI index, which Docker pushes by default, is answered by Heroku with an error that says nothing.
OUTPUT = "type=image,name={image},push=true,oci-mediatypes=false"

# What Docker says, and what it means.
REASONS = {
    "no space left": "This machine has no space left: `docker system prune`",
    "unexpected HTTP status: 5": "The registry fails to store the image: it is full or out of order. "
    "Nothing was released; try again later.",
    "unauthorized": "The registry does not know you: `heroku container:login`",
    "no basic auth": "The registry does not know you: `heroku container:login`",
}


def push_all(app: str) -> None:
    """Raises Refused."""
    push(app, "web", "app")
    push(app, "release", "-", f"FROM {name(app, 'web')}\nCMD {json.dumps(RELEASE_COMMAND)}\n")


def name(app: str, process: str) -> str:
    return f"{REGISTRY}/{app}/{process}:latest"


def push(app: str, process: str, context: str, dockerfile: str = "") -> None:
    image = name(app, process)
    words = [*BUILD, "--output", OUTPUT.format(image=image), context]
    done = subprocess.run(
        words, cwd=ROOT, input=dockerfile, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    if done.returncode:
        show_end(done.stdout)
        raise Refused(reason(done.stdout, process))
    if (kind := kind_of(image)) != MANIFEST:
        raise Refused(
            f"The engine pushed {kind}, which Heroku does not take: `docker buildx use default` and try again."
        )


def reason(said: str, process: str) -> str:
    otherwise = f"The image for {process} cannot be built or pushed. Nothing was released."
    return next((sentence for words, sentence in REASONS.items() if words in said), otherwise)


def kind_of(image: str) -> str:
    """The manifest's media type, as the registry has it."""
    read = run("docker", "buildx", "imagetools", "inspect", "--raw", image, aloud=True)
    if read.returncode:
        raise Refused(f"The pushed image cannot be read back from {REGISTRY}.")
    return str(json.loads(read.stdout).get("mediaType"))
