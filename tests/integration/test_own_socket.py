"""The socket of one's own in the README, pasted where it says by somebody who reads no further."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from client import Socket, dial
from servers.app import Image, Server, environment
from servers.stack import SERVERS

README = (Path(__file__).parents[2] / "README.md").read_text()


@pytest.fixture(scope="module")
def changed() -> Image:
    """The application with what the README says."""
    image = Image()
    [(file, program)] = re.findall(r"`(rooms/\w+\.py)` for example.*?```python\n(.*?)```", README, re.DOTALL)
    (image.app / file).write_text(program)
    [(where, first, last)] = re.findall(r"`app/(rooms/\w+\.py)` it is imported, `(.*?)`.*?: `(.*?)`\n", README)
    routing = (image.app / where).read_text()
    docstring, imports = routing.split("\n\n", 1)
    end_of_the_list = "\n]\n"
    assert imports.count(end_of_the_list) == 1
    pasted = imports.replace(end_of_the_list, f"\n    {last}{end_of_the_list}")
    (image.app / where).write_text(f"{docstring}\n\n{first}\n{pasted}")
    return image


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, changed: Image, tmp_path: Path) -> Iterator[Server]:
    env = environment(DATABASE_URL=f"sqlite:///{tmp_path}/db.sqlite3", WS_SERVER=request.param, DRAIN_SECONDS="0")
    changed.migrate(env)
    server = changed.ws("own-socket", env)
    server.start()
    yield server
    server.stop()


async def test_it_answers(server: Server) -> None:
    connection = await dial(f"{server.ws_url}/ws/shout/")
    await connection.send("hear me")
    assert await connection.recv() == "HEAR ME"
    await connection.close()


async def test_what_is_no_route_is_still_told_so(server: Server) -> None:
    assert await Socket(await dial(f"{server.ws_url}/ws/whisper/")).closed() == 4404
