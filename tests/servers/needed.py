"""Programs that a suite cannot do without."""

import os
import shutil
from pathlib import Path

import pytest

PACKAGES = {
    "postgres": "postgresql",
    "redis-server": "redis-server",
    "nginx": "nginx",
    "pgbouncer": "pgbouncer",
    "promtool": "prometheus",
    "chromium": "chromium",
}


def programs(*names: str) -> None:
    """Skip with one sentence where one is missing; in CI that is a failure."""
    missing = " ".join(PACKAGES[name] for name in names if not _there(name))
    if missing:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(
            f"Missing programs: apt-get install {missing}",
            **({"pytrace": False} if say is pytest.fail else {}),
        )


def _there(name: str) -> bool:
    elsewhere = any(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return elsewhere or shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin") is not None
