"""Schemathesis asks for everything that docs/openapi.json allows, and for what it does not, on Postgres."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract import DOCS
from servers.app import FOREIGN_APP, Image
from servers.postgres import Postgres
from servers.stack import SERVERS, Stack

CHECKS = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
    *("response_headers_conformance", "response_schema_conformance"),
    "allow_header_conformance",
)
NAMES = ("", "votes/open-lunch", "cursors/here")


@pytest.fixture(scope="module")
def stack(image: Image, postgres: Postgres) -> Iterator[Stack]:
    with Stack(image, postgres, SERVERS, **FOREIGN_APP) as running:
        yield running


@pytest.mark.slow
@pytest.mark.timeout(1_100)  # some ten seconds on a machine that does nothing else
@pytest.mark.parametrize("name", NAMES, ids=["any name", *NAMES[1:]])
@pytest.mark.parametrize("number", [0, 1], ids=SERVERS)
def test_nothing_undeclared_is_answered(stack: Stack, number: int, name: str, tmp_path: Path) -> None:
    config = tmp_path / "schemathesis.toml"
    config.write_text(f'[parameters]\n"path.name" = "{name}"\n' if name else "")
    options = (
        *("--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing", "--max-examples", "40"),
        *("--seed", "1", "--request-timeout", "20", "--no-color", "--generation-database", "none"),
        *("--continue-on-failure", "--warnings", "off"),
    )
    words = (*("--config-file", config), "run", DOCS / "openapi.json", "--url", stack.ws[number].url, *options)
    program = Path(sys.executable).with_name("schemathesis")
    done = subprocess.run(
        [program, *words], cwd=tmp_path, env=os.environ, capture_output=True, text=True, timeout=1_000
    )
    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-2_000:]
