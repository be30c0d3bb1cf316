"""A page of another origin: it has none of the site's cookies, and follows as whoever its own server has a token of."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from browser import Arrive, Person
from servers.app import FOREIGN_APP, Image, environment
from servers.foreign import Foreign
from servers.line import Line
from servers.ports import free_port
from servers.stack import SERVERS

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOON = "Math.random = () => 0.05"  # so are the waits between two dials
TOKEN = """
from django.contrib.auth.models import User
from topics.tokens.tokens import issue
print(issue(User.objects.create_user("alice"), "another site", write=True)[1])
"""


@pytest.fixture(params=SERVERS)
def foreign(request: pytest.FixtureRequest, image: Image, tmp_path: Path) -> Iterator[Foreign]:
    with Foreign(free_port()) as foreign:
        env = environment(
            DATABASE_URL=f"sqlite:///{tmp_path}/db.sqlite3",
            WS_SERVER=request.param,
            ALLOWED_ORIGINS=foreign.url,
            **FOREIGN_APP,
        )
        image.migrate(env)
        foreign.token = image.manage("shell", "--no-imports", "--command", TOKEN, env=env).strip()
        site = image.ws("polls", env)
        site.start()
        foreign.site = site.url
        yield foreign
        site.kill()


@pytest_asyncio.fixture(loop_scope="session")
async def line(foreign: Foreign) -> AsyncIterator[Line]:
    async with Line(int(foreign.site.rpartition(":")[2])) as line:
        foreign.target = line.base_url
        yield line


async def comes(foreign: Foreign, arrive: Arrive, state: str) -> tuple[Person, list[str]]:
    """Alice's page, and each address that it asks."""
    alice = await arrive(foreign.url)
    asked: list[str] = []
    alice.page.on("request", lambda request: asked.append(request.url))
    alice.page.on("websocket", lambda socket: asked.append(socket.url))
    await alice.page.add_init_script(SOON)
    await alice.page.goto(foreign.url)
    await expect(alice.page.locator("#state")).to_have_text(state, timeout=40_000)
    await expect(alice.page.locator("#you")).to_have_text("alice")
    return alice, asked


async def votes(alice: Person, *, number: int) -> None:
    await alice.page.get_by_role("button").click()
    await expect(alice.page.locator("#votes li")).to_have_text(["alice: pizza"] * number, timeout=40_000)


async def test_alice_votes_by_a_socket_and_has_another_ticket_when_it_was_cut(
    foreign: Foreign, line: Line, arrive: Arrive
) -> None:
    alice, asked = await comes(foreign, arrive, "online")
    await votes(alice, number=1)
    assert len(foreign.given) == 1
    line.cut()
    await votes(alice, number=2)
    assert len(foreign.given) == 2
    assert not [url for url in asked for ticket in foreign.given if ticket in url]
    assert alice.problems == []


async def test_where_no_socket_comes_through_she_votes_and_hears_by_tickets_as_well(
    foreign: Foreign, line: Line, arrive: Arrive
) -> None:
    line.carries_sockets = False
    alice, asked = await comes(foreign, arrive, "online by http")
    await votes(alice, number=1)
    await votes(alice, number=2)
    line.carries_sockets = True
    await expect(alice.page.locator("#state")).to_have_text("online", timeout=40_000)
    await votes(alice, number=3)
    assert any("/topics/votes/lunch" in url for url in asked)
    assert not [url for url in asked for ticket in foreign.given if ticket in url]
