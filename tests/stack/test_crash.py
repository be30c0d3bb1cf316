"""The engine crashes, and its next start brings the stack back. It is an engine of the test's own, in a network of its
own, with nginx alone."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.compose import CommandError, Stack, run, until
from stack.conftest import unable


class Engine:
    """Everything of it is in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, (folder / "log").open("w")
        self.host = f"unix://{folder}/socket"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        own = [f"--data-root={self.folder}/data", f"--exec-root={self.folder}/run", f"--pidfile={self.folder}/pid"]
        command = ["unshare", "--net", "--mount", "--propagation=slave", "dockerd", *own, f"--host={self.host}"]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, start_new_session=True)
        until(self.answers, "second engine", 180)

    def answers(self) -> bool:
        try:
            run(["docker", f"--host={self.host}", "info"])
        except CommandError:
            return False
        return True

    def crash(self) -> None:
        """With its containerd: what they started goes on without them."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        assert self.process
        os.killpg(self.process.pid, how)
        self.process.wait(180)


@pytest.fixture
def second(stack: Stack, tmp_path: Path) -> Iterator[Engine]:
    if os.geteuid() or subprocess.run(["sh", "-c", "command -v dockerd unshare"], capture_output=True).returncode:
        unable("Only root can start a second Docker engine.")
    engine = Engine(tmp_path)
    try:
        engine.start()
        images = f"nginx:1.30 {stack.project}-edge"
        run(["sh", "-c", f"docker save {images} | docker --host={engine.host} load"])
        yield engine
        run(
            ["sh", "-c", f"docker --host={engine.host} ps --all --quiet | xargs docker --host={engine.host} rm --force"]
        )
    finally:
        engine.stop()
        print((tmp_path / "log").read_text()[-3000:])


def test_after_a_crash_of_the_engine_the_stack_comes_back_by_itself(stack: Stack, second: Engine) -> None:
    # Its network has no loopback that is up.
    env = stack.env | {"DOCKER_HOST": second.host, "HTTP_BIND": "0.0.0.0"}
    run(["docker", "compose", "up", "--detach", "--wait", "--no-build", "nginx"], stack.folder, env)
    nginx = run(["docker", "compose", "ps", "--quiet", "nginx"], stack.folder, env).strip()

    def state() -> list[str]:
        """Whether it runs, its health, since when."""
        wanted = "{{.State.Running}} {{.State.Health.Status}} {{.State.StartedAt}}"
        return run(["docker", "inspect", "--format", wanted, nginx], env=env).split()

    *well, started = state()
    assert well == ["true", "healthy"]
    second.crash()
    second.start()
    until(lambda: state()[:2] == well and state()[2] != started, "nginx", 180)
