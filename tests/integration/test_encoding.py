"""A Postgres that was made in another encoding than UTF-8 is refused; where it is used all the same nobody is stuck."""

import subprocess
import sys

import psycopg
import pytest

from client import Socket, dial, enter, new_id, new_room, room_path
from servers.app import Image, environment
from servers.postgres import Postgres
from servers.stack import SERVERS
from visitor import Visitor, room_page

LATIN1 = "CREATE DATABASE \"{}\" ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"


def latin1(postgres: Postgres, name: str) -> str:
    base = postgres.create_database(f"{name}-utf8").rpartition("/")[0]
    with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
        connection.execute(LATIN1.format(name).encode())
    return f"{base}/{name}"


def test_migrate_refuses_it_by_a_sentence_and_changes_nothing(image: Image, postgres: Postgres) -> None:
    url = latin1(postgres, "latin1-refused")
    command = [sys.executable, "manage.py", "migrate", "--noinput"]
    done = subprocess.run(command, cwd=image.app, env=environment(DATABASE_URL=url), capture_output=True, text=True)
    assert done.returncode == 1
    assert "latin1-refused has the encoding LATIN1" in done.stderr
    assert "--encoding=UTF8" in done.stderr
    assert "Traceback" not in done.stderr
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


@pytest.mark.parametrize("server", SERVERS)
async def test_what_can_never_be_stored_is_refused_for_good_and_holds_up_nothing(
    image: Image, postgres: Postgres, server: str
) -> None:
    env = environment(DATABASE_URL=latin1(postgres, f"latin1-{server}"), REDIS_URL="", WS_SERVER=server)
    image.manage("migrate", "--noinput", "--skip-checks", env=env)
    process = image.ws(f"latin1-{server}", env)
    process.start()
    try:
        async with await enter(process.ws_url, new_room()) as alice:
            bodies = ["café", "🍵", "thé", "茶", "crème"]
            for number, body in enumerate(bodies):
                await alice.send({"type": "message", "id": f"{number}", "body": body})
            for number in (1, 3):
                refused = await alice.until(lambda frame, id=f"{number}": frame.get("id") == id, "an answer")
                assert (refused["type"], refused["code"]) == ("error", "bad_frame")
                assert "retry_after_ms" not in refused
            await alice.hears("crème")
            assert alice.bodies() == ["café", "thé", "crème"]
            await alice.say("encore", new_id())
        carol = Socket(await dial(process.ws_url + room_path("茶馆")))
        assert await carol.closed() == 4404, "no reason to come back"
        assert Visitor(process.url).get(room_page("茶馆")).status == 404
    finally:
        process.kill()
