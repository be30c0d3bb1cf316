"""What `make test` itself sees to."""

import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
RUN = """
import subprocess, run
run.adopt_orphans()
print(subprocess.check_output(["sh", "-c", "setsid sleep 300 >/dev/null & echo $!"], text=True))
run.end_what_is_left()
"""


def test_a_server_whose_tests_were_killed_does_not_go_on() -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN], cwd=TESTS, capture_output=True, text=True, timeout=60, check=True
    )
    assert not Path(f"/proc/{int(done.stdout)}").exists()
