"""The real heroku CLI, kept in .run/, and the folder of the commands that a person has."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from stack.compose import ROOT

VERSION = "11.10.0"
FOLDER = ROOT / ".run" / "heroku"
PROGRAM = FOLDER / "node_modules" / ".bin" / "heroku"
BIN = Path(sys.executable).parent  # has node and npm, from the tests' requirements
SECONDS = 600


def missing() -> str:
    """A sentence about what the machine lacks for it, or nothing."""
    if os.geteuid() != 0:
        return "Only root makes the private namespaces in which the heroku CLI runs."
    if not shutil.which("docker-registry"):
        return "Missing program: apt-get install docker-registry"
    return ""


def install() -> None:
    """From npm, unless it is there already."""
    manifest = FOLDER / "node_modules" / "heroku" / "package.json"
    if manifest.exists() and f'"version": "{VERSION}"' in manifest.read_text():
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    words = [BIN / "npm", "install", "--no-audit", "--no-fund", "--no-save", "--prefix", FOLDER, f"heroku@{VERSION}"]
    environ = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"}
    subprocess.run(words, cwd=FOLDER, env=environ, check=True, capture_output=True, timeout=SECONDS)


def environment(home: Path, authority: Path, host: str, key: str) -> dict[str, str]:
    """What a person's shell has: the CLI on its PATH, logged in, and the authority trusted."""
    kept = {name: os.environ[name] for name in ("DOCKER_HOST", "LANG") if name in os.environ}
    return kept | {
        "PATH": f"{PROGRAM.parent}:{BIN}:{os.environ['PATH']}",
        "HOME": str(home),
        "HEROKU_HOST": host,
        "HEROKU_API_KEY": key,
        "HEROKU_SKIP_NEW_VERSION_CHECK": "1",
        "HEROKU_DISABLE_AUTOUPDATE": "1",
        "DISABLE_TELEMETRY": "true",
        # Asked about unpaid bills at every turn.
        "HEROKU_PARTICLEBOARD_URL": f"https://particleboard.{host}",
        "NODE_EXTRA_CA_CERTS": str(authority),
        "SSL_CERT_FILE": str(authority),
        "CURL_CA_BUNDLE": str(authority),
        "GIT_SSL_CAINFO": str(authority),
        "NO_COLOR": "1",
        **{f"GIT_{who}_{what}": "alice" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
