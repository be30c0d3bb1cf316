"""Migrations that are interrupted, run twice at once, or would break the version that serves meanwhile.

What they do with what was said: test_carrying_over.py.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from servers.app import Image, environment
from servers.postgres import Postgres


def test_a_migration_that_was_interrupted_is_finished_by_the_next_one(image: Image, postgres: Postgres) -> None:
    """An index that is built while people talk is left behind, invalid, where that ends half way."""
    env = environment(DATABASE_URL=postgres.create_database("interrupted"))
    image.manage("migrate", "rooms", "0003", env=env)
    leave = (
        "from django.db import connection; connection.cursor().execute('CREATE UNIQUE INDEX"
        " one_message_an_id_of_a_person ON rooms_message (room_id, client_id, person_key)')"
    )
    image.manage("shell", "--command", leave, env=env)
    image.migrate(env)
    assert "[X] 0005" in image.manage("showmigrations", "rooms", env=env)


def test_two_who_migrate_at_once_do_not_wait_for_each_other_for_ever(image: Image, postgres: Postgres) -> None:
    """One builds an index beside those who talk, which waits for every statement that runs."""
    env = environment(DATABASE_URL=postgres.create_database("together"))
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(image.migrate, env) for _ in range(2)]:
            done.result(120)


def test_who_is_not_the_owner_of_the_tables_is_told_who_may_migrate(image: Image, postgres: Postgres) -> None:
    owner = postgres.create_database("owned")
    servers = environment(DATABASE_URL=postgres.for_servers(owner))
    done = manage(image, servers, "migrate")
    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: Only the tables' owner may change them")
    image.migrate(servers | {"MIGRATE_DATABASE_URL": owner})
    image.migrate(servers)  # which finds nothing to change
    assert "MIGRATE_DATABASE_URL" in manage(image, servers, "migrate", "sessions", "zero").stderr


def test_who_migrates_is_told_that_the_servers_cannot_come_in(image: Image, postgres: Postgres) -> None:
    owner = postgres.create_database("locked-out")
    servers = postgres.for_servers(owner).replace(":log@", ":another@")
    done = manage(image, environment(DATABASE_URL=servers, MIGRATE_DATABASE_URL=owner), "migrate")
    assert done.returncode == 1
    assert "DATABASE_URL: the database cannot be reached: " in done.stderr
    assert "password authentication failed" in done.stderr
    assert "docker compose restart postgres redis web ws" in done.stderr


# --- The version that serves meanwhile -------------------------------------------------------------

FIRST = """
migrations.CreateModel("Poll", [
    ("id", models.BigAutoField(primary_key=True)),
    ("question", models.CharField(max_length=50)),
    ("about", models.TextField(default="")),
]), migrations.CreateModel("Vote", [("id", models.BigAutoField(primary_key=True))])
"""
BREAK = {  # what somebody migrates: the operation as it is called, and what is advised
    'migrations.RemoveField("poll", "about")': ("Remove field about from poll", "SeparateDatabaseAndState"),
    'migrations.AddField("poll", "by", models.CharField(max_length=9, default=""))': ("Add field by to poll", "db_def"),
    'migrations.RenameField("poll", "question", "asked")': ("Rename field question on poll to asked", "db_column"),
    'migrations.AlterField("poll", "asked", models.TextField())': ("Alter field asked on poll", "a second column"),
    'migrations.AlterUniqueTogether("poll", {("asked", "by")})': ("Alter unique_together for poll", "keeps to it"),
    'migrations.RenameModel("poll", "Question")': ("Rename model poll to Question", "db_table"),
    'migrations.DeleteModel("Vote")': ("Delete model Vote", "without the model"),
    'migrations.RunSQL("alter table polls_question\\n drop column asked")': ("Raw SQL operation", "without the field"),
}
LEAVE_IT = [
    'migrations.AddField("question", "at", models.DateTimeField(null=True))',
    'migrations.AddField("question", "kind", models.CharField(max_length=9, db_default=""))',
    'migrations.CreateModel("Voter", [("id", models.BigAutoField(primary_key=True))])',
    'migrations.RunSQL("UPDATE polls_question SET kind = kind")',
]
JUDGED = 'migrations.RemoveField("question", "kind")]; suits_the_version_before = ["nobody asks for it"'
NEW = """
migrations.CreateModel("Clerk", [("id", models.BigAutoField(primary_key=True))]),
migrations.DeleteModel("Clerk"),
"""


@pytest.fixture
def polls(image: Image, postgres: Postgres, tmp_path: Path) -> dict[str, str]:
    """Variables of a project with an app of which the first migration has been run, and an app that is new in it."""
    settings = "from config.settings import *\nINSTALLED_APPS = [*INSTALLED_APPS, 'polls', 'clerks']\n"
    (tmp_path / "with_polls.py").write_text(settings)
    for app, operations in {"polls": [FIRST, *BREAK, *LEAVE_IT, JUDGED], "clerks": [NEW]}.items():
        (tmp_path / app / "migrations").mkdir(parents=True)
        for package in (tmp_path / app, tmp_path / app / "migrations"):
            (package / "__init__.py").touch()
        for number, operation in enumerate(operations, 1):
            after = f"('{app}', '{number - 1:04}')" if number > 1 else ""
            (tmp_path / app / "migrations" / f"{number:04}.py").write_text(
                "from django.db import migrations, models\n\nclass Migration(migrations.Migration):\n"
                f"    dependencies = [{after}]\n    operations = [{operation.strip()}]\n"
            )
    variables = {"DJANGO_SETTINGS_MODULE": "with_polls", "PYTHONPATH": str(tmp_path)}
    env = environment(DATABASE_URL=postgres.create_database("polls"), **variables)
    image.migrate(env | {"DJANGO_SETTINGS_MODULE": "config.settings"})
    image.manage("migrate", "polls", "0001", env=env)
    return env


def test_what_would_break_the_version_that_serves_is_said_with_how_to_do_it_and_the_rest_is_let_through(
    image: Image, polls: dict[str, str]
) -> None:
    done = manage(image, polls, "check_migrations")
    assert done.returncode == 1
    said = done.stderr.removeprefix("CommandError: ").splitlines()
    assert len(said) == len(BREAK), done.stderr
    for number, (sentence, (operation, advice)) in enumerate(zip(said, BREAK.values(), strict=True), 2):
        assert sentence.startswith(f"polls.{number:04}, “{operation}")
        assert advice in sentence
    assert "[ ] 0002" in image.manage("showmigrations", "polls", env=polls), "and nothing was done"

    image.manage("migrate", "polls", f"{len(BREAK) + 1:04}", env=polls)
    image.manage("check_migrations", env=polls)
    image.migrate(polls)


def manage(image: Image, env: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=image.app, env=env, capture_output=True, text=True)
