"""Images built from a checkout that only its owner can read: their users can read all that they need."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.compose import copy_repository, run

# The image's Dockerfile, its build context, the user that compose runs it as where the image names none, what it reads.
IMAGES = {
    "app": ("app/Dockerfile", "app", "", ["/app", "/venv"]),
    "nginx": ("docker/nginx/Dockerfile", ".", "", ["/etc/nginx/edge"]),
    "postgres": ("docker/postgres/Dockerfile", "docker/postgres", "999:999", ["/etc/postgresql/postgresql.conf"]),
    "redis": ("docker/redis/Dockerfile", "docker/redis", "999:999", ["/etc/redis/redis.conf"]),
    "secrets": ("docker/secrets/Dockerfile", "docker/secrets", "", ["/generate.py"]),
}


@pytest.fixture(scope="module")
def checkout(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `umask 077; git clone` makes it."""
    folder = tmp_path_factory.mktemp("umask")
    copy_repository(folder)
    for path in folder.rglob("*"):
        path.chmod(path.stat().st_mode & 0o700)
    return folder


@pytest.fixture
def tag() -> Iterator[str]:
    name = f"umask-test-{secrets.token_hex(4)}"
    yield name
    run(["docker", "image", "rm", "--no-prune", name])


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_of_a_private_checkout_can_be_read_by_its_user(checkout: Path, tag: str, name: str) -> None:
    dockerfile, context, user, paths = IMAGES[name]
    run(["docker", "build", "--quiet", "--tag", tag, "--file", dockerfile, context], checkout)
    user = user or json.loads(run(["docker", "image", "inspect", tag]))[0]["Config"]["User"]
    assert user not in ("", "0", "root")
    unreadable = ["find", *paths, "!", "-readable"]
    assert run(["docker", "run", "--rm", "--network=none", f"--user={user}", "--entrypoint=", tag, *unreadable]) == ""
