"""One running stack and one double of Heroku a session, and what the stack's containers printed beside a failure."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from stack.compose import CommandError, Stack, copy_repository, run
from stack.heroku import cli
from stack.heroku.app import App
from stack.heroku.double import Heroku
from stack.heroku.pages import APP, commands
from stack.heroku.people import Site, outside

LINES = 200  # of the logs, beside a failure
LIMIT = 900  # seconds; the first test waits for the images

# What the CLI asks for and does without.
NOT_OF_THE_DOUBLE = {"GET /account/features/runtime-dyno-metadata", "GET /apps/…/pipeline-couplings"}

HERE = Path(__file__).parent

_running: list[Stack] = []


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Healthy, with two ws containers. A test that changes that puts it right again."""
    need_engine()
    stack = Stack(tmp_path_factory.mktemp("clone"))
    _running.append(stack)
    try:
        start(stack)
        yield stack
    finally:
        _running.remove(stack)
        stack.remove()


@pytest.fixture(scope="session")
def newer_compose() -> str:
    """A value for DOCKER_CONFIG under which `docker compose` is the newest that can be had."""
    need_engine()
    try:
        return run([str(HERE / "engine.sh"), "newer"]).strip()
    except CommandError as error:
        unable(str(error).splitlines()[-1])


def start(stack: Stack) -> None:
    stack.compose("build")
    try:
        stack.up()
    except CommandError:
        print(printed(stack, seconds=3600))
        raise


@pytest.fixture(scope="session")
def heroku(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Heroku]:
    need_engine()
    if sentence := cli.missing():
        unable(sentence)
    cli.install()
    double = Heroku(tmp_path_factory.mktemp("heroku"))
    try:
        yield double
    finally:
        double.close()
    assert set(double.api.unknown) <= NOT_OF_THE_DOUBLE


@pytest.fixture(scope="session")
def clone(heroku: Heroku) -> Path:
    """What a stranger has after `git clone`."""
    folder = heroku.folder / "clone"
    folder.mkdir()
    copy_repository(folder)
    heroku.run("git init --quiet --initial-branch main && git add . && git commit --quiet -m Clone", folder)
    return folder


@pytest.fixture(scope="session")
def deployed(heroku: Heroku, clone: Path) -> str:
    """An app made and deployed by the README's own lines; what they said."""
    return "".join(heroku.run(line, clone) for line in commands("README.md", "Deploy on Heroku"))


@pytest.fixture
def app(heroku: Heroku, deployed: str) -> App:
    return heroku.app(APP)


@pytest.fixture
def site(heroku: Heroku, app: App) -> Iterator[Site]:
    with outside(heroku):
        yield Site(app, heroku)


@pytest.fixture(scope="session")
def engine() -> None:
    """For tests that build and run images without the stack."""
    need_engine()


def need_engine() -> None:
    """Skip with one sentence where no engine answers; in CI that is a failure."""
    try:
        run(["docker", "info"])
        run(["docker", "compose", "version"])
    except (CommandError, OSError):
        unable("No Docker engine with its compose plugin answers; tests/stack/engine.sh up makes one on Debian.")


def unable(sentence: str) -> NoReturn:
    """What the machine lacks skips a test, and in CI fails it."""
    if os.environ.get("CI"):
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(LIMIT))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    outcome: Any = yield
    report = outcome.get_result()
    if report.failed:
        report.sections += [("containers printed", printed(stack, time.time() - call.start)) for stack in _running]


def printed(stack: Stack, seconds: float) -> str:
    try:
        return "\n".join([stack.compose("ps", "--all"), *stack.logs(seconds + 1).splitlines()[-LINES:]])
    except CommandError as error:
        return str(error)
