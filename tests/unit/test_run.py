"""What `make test` itself sees to."""

import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
RUN = """
import subprocess, run
run.adopt_orphans(True)
print(subprocess.check_output(["sh", "-c", "setsid sleep 300 >/dev/null & echo $!"], text=True))
run.end_what_is_left()
"""

LEFT = """
import os, signal, subprocess, run
run.adopt_orphans(True)
run.adopt_orphans(False)
pid = int(subprocess.check_output(["sh", "-c", "setsid sleep 300 >/dev/null & echo $!"]))
assert pid not in run.descendants(os.getpid())
os.kill(pid, signal.SIGKILL)
"""


def test_what_an_engine_leaves_does_not_become_a_child() -> None:
    subprocess.run([sys.executable, "-c", LEFT], cwd=TESTS, timeout=60, check=True)


def test_a_server_whose_tests_were_killed_does_not_go_on() -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN], cwd=TESTS, capture_output=True, text=True, timeout=60, check=True
    )
    assert not Path(f"/proc/{int(done.stdout)}").exists()
