"""The site in its two shapes, and people with browsers."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from browser import Arrive, Person, chromium
from servers import needed
from servers.app import Image, Server, environment
from servers.postgres import Postgres
from servers.stack import SERVERS, Stack


@pytest.fixture(scope="session")
def alone(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One process with SQLite and the in-memory layer, as `make run` starts it."""
    database = Path(tmp_path_factory.mktemp("alone")) / "db.sqlite3"
    files = f"file://{database.parent}/files"
    env = environment(DATABASE_URL=f"sqlite:///{database}", STORAGE_URL=files, DEBUG="1", LOG_FORMAT="console")
    image.migrate(env)
    process = image.ws("alone", env)
    process.start()
    yield process
    process.stop()
    sqlite3.connect(database).execute("PRAGMA integrity_check").close()


@pytest.fixture(scope="session")
def stack(image: Image, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    files = f"file://{tmp_path_factory.mktemp('files')}"
    with Stack(image, postgres, SERVERS, DRAIN_SECONDS="1", STORAGE_URL=files) as running:
        yield running


@pytest.fixture(scope="session", params=["alone", "stack"])
def site(request: pytest.FixtureRequest) -> str:
    """The base URL of either shape."""
    shape = request.getfixturevalue(request.param)
    return str(shape.base_url if request.param == "stack" else shape.url)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    needed.programs("chromium")
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def arrive(browser: Browser) -> AsyncIterator[Arrive]:
    """`await arrive(base)`: somebody with a browser of her own; keywords are Playwright's for the context."""
    async with AsyncExitStack() as leaving:

        async def somebody(base: str, **options: Any) -> Person:
            context = await browser.new_context(**{"locale": "en-GB", **options})
            leaving.push_async_callback(context.close)
            return Person(await context.new_page(), base)

        yield somebody
