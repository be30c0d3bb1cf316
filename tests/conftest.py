"""What all suites share: settings, one Postgres and one image a run, what servers print beside a failure."""

import os
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

import contract
from servers import needed
from servers.process import everything

if TYPE_CHECKING:
    from servers.app import Image
    from servers.postgres import Postgres

# For tests that import the application; the server processes get an environment of their own.
for name, value in {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "SECRET_KEY": "only-for-tests-" + "0123456789abcdef" * 4,
    "DATABASE_URL": os.environ.get("UNIT_DATABASE_URL", "sqlite://:memory:"),
    "REDIS_URL": "",
    "HTTPS": "0",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
}.items():
    os.environ[name] = value


# For those who have more patience than the suite: --hypothesis-profile torture, as `make torture` does.
settings.register_profile("torture", max_examples=1_500)
settings.register_profile("few", max_examples=10)  # where each takes long


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as in the background of a script; programs would inherit it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "slow: takes more than ten seconds")
    config.addinivalue_line("markers", "nightly: takes long and seldom finds what no other test does")
    config.addinivalue_line("markers", "postgres: of several who write at once, which SQLite has not")


@pytest.fixture(autouse=True)
def frames_are_as_documented() -> Iterator[None]:
    contract.faults.clear()
    yield
    assert contract.faults == []


@pytest.fixture(scope="session")
def image() -> "Image":
    from servers.app import Image

    return Image()


@pytest.fixture(scope="session")
def postgres() -> Iterator["Postgres"]:
    needed.programs("postgres", "redis-server", "nginx")
    from servers.postgres import Postgres

    cluster = Postgres()
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for process in everything():
        process.mark()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    outcome: Any = yield
    report = outcome.get_result()
    if report.failed:
        printed = ((process, process.output_since_mark()) for process in everything())
        report.sections += [(f"{process.name} printed", text) for process, text in printed if text]
