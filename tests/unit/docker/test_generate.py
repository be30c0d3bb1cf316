"""The stack's keys and passwords: made once, and no file readable by more than one group."""

import hashlib
import io
import os
import re
import runpy
import shutil
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

SCRIPT = Path(__file__).parents[3] / "docker/secrets/generate.py"
PASSWORDS = {
    "postgres_password": "database_url",
    "postgres_owner_password": "migrate_database_url",
    "redis_password": "redis_url",
}
NAMES = {"secret_key", "vapid_key", "redis.acl", *PASSWORDS, *PASSWORDS.values()}


@pytest.fixture
def generate(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script's `main`, where the user who runs the tests may not give files to other groups."""
    module = runpy.run_path(str(SCRIPT))
    given = module["main"].__globals__["given"] = {}
    monkeypatch.setattr(os, "chown", lambda path, user, group: given.__setitem__(Path(path).stat().st_ino, group))
    return module["main"]


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_everything_is_made_and_fits_together(generate: Any, tmp_path: Path) -> None:
    generate(tmp_path)
    made = contents(tmp_path)
    assert set(made) == NAMES
    assert len(made["secret_key"]) >= 50
    assert {password: urlsplit(made[address]).password for password, address in PASSWORDS.items()} == {
        password: made[password] for password in PASSWORDS
    }
    assert len({made[password] for password in PASSWORDS}) == 3
    assert hashlib.sha256(made["redis_password"].encode()).hexdigest() in made["redis.acl"]
    assert made["redis_password"] not in made["redis.acl"]


def test_a_second_run_changes_nothing(generate: Any, tmp_path: Path) -> None:
    generate(tmp_path)
    before = contents(tmp_path)
    generate(tmp_path)
    assert contents(tmp_path) == before


def test_a_run_that_was_cut_short_is_completed_with_the_same_passwords(generate: Any, tmp_path: Path) -> None:
    generate(tmp_path)
    before = contents(tmp_path)
    for name in (*PASSWORDS.values(), "redis.acl"):
        (tmp_path / name).unlink()
    generate(tmp_path)
    assert contents(tmp_path) == before


def test_a_volume_of_a_version_with_one_role_gets_what_the_other_needs(generate: Any, tmp_path: Path) -> None:
    generate(tmp_path)
    before = contents(tmp_path)
    for name in ("postgres_owner_password", "migrate_database_url"):
        (tmp_path / name).unlink()
    generate(tmp_path)
    after = contents(tmp_path)
    assert {name for name in NAMES if after[name] != before[name]} == {
        "postgres_owner_password",
        "migrate_database_url",
    }
    assert urlsplit(after["migrate_database_url"]).username == "rooms_owner"


@pytest.mark.parametrize("lost", PASSWORDS)
def test_a_password_whose_file_was_lost_is_the_one_that_the_server_knows(
    generate: Any, tmp_path: Path, lost: str
) -> None:
    generate(tmp_path)
    before = contents(tmp_path)
    (tmp_path / lost).unlink()
    generate(tmp_path)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", [*PASSWORDS, *PASSWORDS.values()])
def test_passwords_that_differ_are_said_with_the_command_that_mends_them(
    generate: Any, tmp_path: Path, name: str
) -> None:
    generate(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    generate(other)
    (other / name).replace(tmp_path / name)
    shutil.rmtree(other)
    with pytest.raises(SystemExit) as refused:
        generate(tmp_path)
    said = str(refused.value)
    assert "The volume `secrets` has gone apart" in said
    assert not any(secret in said for secret in contents(tmp_path).values())

    (what,) = re.findall(r"`docker compose run --rm secrets python -I -S /generate.py /run/secrets (\w+)`", said)
    generate(tmp_path, what)
    test_everything_is_made_and_fits_together(generate, tmp_path)


def test_the_key_of_a_backup_takes_the_place_of_the_one_that_was_made(
    generate: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate(tmp_path)
    before = contents(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO("the key of the backup"))
    generate(tmp_path, "secret_key")
    assert contents(tmp_path) == before | {"secret_key": "the key of the backup"}
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o440}


def test_two_stacks_share_nothing(generate: Any, tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
        generate(folder)
    one, other = (contents(folder) for folder in folders)
    assert [name for name in NAMES if one[name] == other[name]] == []


def test_two_runs_at_once_agree(generate: Any, tmp_path: Path) -> None:
    runs = [threading.Thread(target=generate, args=(tmp_path,)) for _ in range(8)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    made = contents(tmp_path)
    assert set(made) == NAMES
    assert [name for name, address in PASSWORDS.items() if made[name] not in made[address]] == []
    assert hashlib.sha256(made["redis_password"].encode()).hexdigest() in made["redis.acl"]


def test_each_file_is_for_one_group_which_compose_gives_to_those_who_need_it(generate: Any, tmp_path: Path) -> None:
    generate(tmp_path)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o440}
    given = generate.__globals__["given"]
    groups = {path.name: given[path.stat().st_ino] for path in tmp_path.iterdir()}
    app, postgres, redis = groups["secret_key"], groups["postgres_password"], groups["redis.acl"]
    assert groups["database_url"] == groups["redis_url"] == groups["vapid_key"] == app
    assert groups["postgres_owner_password"] == postgres
    owner = groups["migrate_database_url"]
    assert len({app, postgres, redis, owner, groups["redis_password"]}) == 5
    compose = (SCRIPT.parents[2] / "docker-compose.yml").read_text()
    assert re.findall(r"group_add: (.*)", compose) == [
        f'["{app}"]',
        f'["{app}", "{owner}"]',
        f'["{redis}"]',
        f'["{postgres}"]',
        f'["{app}", "{owner}"]',
        f'["{app}", "{postgres}", "{redis}", "{owner}"]',
    ]
