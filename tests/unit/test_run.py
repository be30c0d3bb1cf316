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

ENDED = """
import os, signal, subprocess, time, run
run.adopt_orphans(True)
run.adopt_orphans(False)
pid = int(subprocess.check_output(["sh", "-c", "setsid sleep 300 >/dev/null & echo $!"]))
os.kill(pid, signal.SIGKILL)
deadline = time.monotonic() + 10
while os.path.exists(f"/proc/{pid}"):
    assert time.monotonic() < deadline, "it has ended, and nobody has looked for it"
    time.sleep(0.01)
"""


def test_what_an_engine_leaves_is_not_kept_as_a_child_that_has_ended() -> None:
    subprocess.run([sys.executable, "-c", ENDED], cwd=TESTS, timeout=60, check=True)


def test_a_server_whose_tests_were_killed_does_not_go_on() -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN], cwd=TESTS, capture_output=True, text=True, timeout=60, check=True
    )
    assert not Path(f"/proc/{int(done.stdout)}").exists()
