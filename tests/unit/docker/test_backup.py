"""`make backup` and `make restore` around the containers: what they refuse, what is on the disk. Docker is a double."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
READ = ("backup.sh", "restore.sh", "database.sh", "common.sh")

# Answers to commands by their beginning, each a script of its own; without one, success. All are written down.
DOUBLE = """#!/usr/bin/env bash
asked=$*
asked=${asked/--profile backup --progress quiet /}
echo "$asked" >>"$(dirname "$0")/done"
while IFS=$'\\t' read -r -u 4 command script; do
  [[ $asked == "$command"* ]] || continue
  eval "$script"
  exit
done 4<"$(dirname "$0")/answers"
"""
GOOD = {
    "compose version": "echo 2.26.1",
    "buildx version": "echo 0.13",
    "version --format": "echo 26.1.5",
    "compose config --services": "echo postgres; echo ws",
    "compose config": "echo name: rooms",
    "compose ps --status running --quiet postgres": "echo one",
    "compose run --rm --no-deps -T backup make": "printf whole; echo 'backup: 3 rows: 5 bytes written' >&2",
    "compose run --rm --no-deps -T backup restore": "cat >given; printf key",
    "compose run --rm --no-deps -T secrets python": "cat >key",
    "compose exec -T postgres df": r"printf 'Filesystem\nvolume 9 1 8 1%% /\n'",
    "compose exec -T postgres psql": "echo 0",
}
UP = "compose up --detach --wait postgres"
MAKE = "compose run --rm --no-deps -T backup make"


class Machine:
    def __init__(self, folder: Path) -> None:
        self.folder, self.bin, self.backups = folder, folder / "bin", folder / "backups"
        (folder / "docker").mkdir()
        for name in READ:
            shutil.copy(ROOT / "docker" / name, folder / "docker" / name)
        self.bin.mkdir()
        (self.bin / "docker").write_text(DOUBLE)
        (self.bin / "docker").chmod(0o755)
        self.answers = dict(GOOD)
        self.file = folder / "some.backup"
        self.file.write_bytes(b"a backup\0")

    def start(self, name: str, **env: str) -> subprocess.Popen[str]:
        lines = [f"{command}\t{script}" for command, script in self.answers.items()]
        (self.bin / "answers").write_text("\n".join([*lines, ""]))
        command = ["bash", f"docker/{name}.sh"]
        path = {"PATH": f"{self.bin}:{os.environ['PATH']}"}
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.folder, env=path | env, stdout=pipe, stderr=pipe, text=True)

    def backup(self, **env: str) -> tuple[int, str]:
        """Exit status, and all that it said."""
        return ended(self.start("backup", DIR="backups", KEY="", **env))

    def restore(self, **env: str) -> tuple[int, str]:
        return ended(self.start("restore", **{"FILE": str(self.file), "IDENTITY": "", **env}))

    @property
    def done(self) -> list[str]:
        file = self.bin / "done"
        return file.read_text().splitlines() if file.exists() else []

    @property
    def changed(self) -> list[str]:
        return [line for line in self.done if "ALTER DATABASE" in line or "secrets python" in line]


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, err + out


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_backup_is_whole_has_a_name_with_its_time_and_nobody_else_may_read_it(machine: Machine) -> None:
    code, said = machine.backup()
    assert code == 0
    (file,) = machine.backups.iterdir()
    assert said.splitlines()[-1] == f"backups/{file.name}"
    assert file.read_text() == "whole"
    assert file.stat().st_mode & 0o777 == 0o600
    assert machine.backups.stat().st_mode & 0o777 == 0o700
    assert file.match("rooms-*T*Z-*.backup")


def test_a_backup_that_docker_wrote_only_in_part_is_none(machine: Machine) -> None:
    machine.answers[MAKE] = "printf who; echo 'backup: 3 rows: 5 bytes written' >&2"
    code, said = machine.backup()
    assert (code, list(machine.backups.iterdir())) == (1, [])
    assert "The file is not whole: is the disk of backups full?" in said


def test_a_backup_that_fails_leaves_nothing_and_says_why_in_one_sentence(machine: Machine) -> None:
    machine.answers[MAKE] = "printf whole; echo 'backup: for this reason. There is no backup.' >&2; exit 1"
    code, said = machine.backup()
    assert (code, list(machine.backups.iterdir())) == (1, [])
    assert said.splitlines()[1:] == ["backup: for this reason. There is no backup."]


def test_a_backup_that_is_interrupted_leaves_nothing(machine: Machine) -> None:
    machine.answers[MAKE] = "printf half; sleep 1; exit 1"
    process = machine.start("backup", DIR="backups", KEY="")
    deadline = time.monotonic() + 60
    while not list(machine.backups.glob("*.part")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.terminate()
    assert ended(process)[0] != 0
    assert list(machine.backups.iterdir()) == []


def test_where_all_is_stopped_postgres_runs_for_as_long_as_the_backup_takes(machine: Machine) -> None:
    del machine.answers["compose ps --status running --quiet postgres"]
    assert machine.backup()[0] == 0
    up, stop = machine.done.index(UP), machine.done.index("compose stop postgres")
    (make,) = [index for index, line in enumerate(machine.done) if line.startswith(MAKE)]
    assert up < make < stop


def test_a_running_postgres_goes_on(machine: Machine) -> None:
    assert machine.backup()[0] == 0
    assert [line for line in machine.done if " up " in line or " stop " in line] == []


def test_a_restore_is_done_by_the_postgres_of_this_version_and_a_running_one_stays(machine: Machine) -> None:
    assert machine.restore()[0] == 0
    assert [line for line in machine.done if " up " in line or " stop " in line] == [UP]
    make = next(index for index, line in enumerate(machine.done) if "CREATE DATABASE" in line)
    assert machine.done.index(UP) < make


def test_an_encrypted_one_is_called_so(machine: Machine) -> None:
    process = machine.start("backup", DIR="backups", KEY="ssh-ed25519 AAAA alice@example.org")
    assert ended(process)[0] == 0
    assert [file.suffix for file in machine.backups.iterdir()] == [".age"]
    assert any("--key ssh-ed25519 AAAA alice@example.org" in line for line in machine.done)


def test_a_key_in_env_is_said_not_to_be_in_it(machine: Machine) -> None:
    assert "SECRET_KEY" not in machine.backup()[1]
    machine.answers["compose config"] = "echo name: rooms; echo GENERATED_SECRET_KEY_FILE: any"
    assert "SECRET_KEY and all else in .env are not in it" in machine.backup()[1]


@pytest.mark.parametrize("name", ["backup", "restore"])
def test_a_postgres_elsewhere_is_left_to_who_runs_it(machine: Machine, name: str) -> None:
    machine.answers["compose config --services"] = "echo ws"
    code, said = machine.backup() if name == "backup" else machine.restore()
    assert code == 1
    assert "Postgres is not in this stack" in said


def test_two_at_once_would_take_each_others_databases(machine: Machine) -> None:
    held = subprocess.Popen(["flock", machine.folder / "docker/common.sh", "cat"], stdin=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while subprocess.run(["flock", "--nonblock", machine.folder / "docker/common.sh", "true"]).returncode == 0:
            assert time.monotonic() < deadline
        for code, said in (machine.backup(), machine.restore()):
            assert code == 1
            assert "is under way" in said
    finally:
        held.communicate()


def test_a_restore_changes_things_only_when_the_backup_is_in_a_database_and_fits(machine: Machine) -> None:
    assert machine.restore()[0] == 0
    steps = [
        "CREATE DATABASE rooms_restored",
        "backup restore",
        "migrate --noinput",
        "new_epoch",
        "ALTER DATABASE rooms ",
    ]
    found = [index for step in steps for index, line in enumerate(machine.done) if step in line]
    assert found == sorted(found)
    assert len(found) == len(steps)
    assert (machine.folder / "given").read_bytes() == b"\na backup\0"
    assert (machine.folder / "key").read_text() == "key"


def test_the_key_for_decryption_is_on_no_command_line(machine: Machine) -> None:
    secret = machine.folder / "identity"
    secret.write_text("AGE-SECRET-KEY-1\n")
    assert machine.restore(IDENTITY=str(secret))[0] == 0
    assert (machine.folder / "given").read_bytes().splitlines()[0] == b"QUdFLVNFQ1JFVC1LRVktMQo="
    assert not any("SECRET-KEY" in line or "QUdFLV" in line for line in machine.done)


@pytest.mark.parametrize(
    ("command", "script", "says"),
    [
        ("compose ps --status running --quiet nginx web ws", "echo one", "`docker compose stop nginx web ws`"),
        ("compose exec -T postgres psql", "echo 2", "2 connections to the database are open"),
        ("compose --profile backup build", "exit 1", "The images cannot be built."),
        ("compose run --rm --no-deps -T backup restore", "echo 'restore: No. Nothing was changed.' >&2; exit 1", "No."),
    ],
)
def test_what_cannot_be_restored_changes_nothing(machine: Machine, command: str, script: str, says: str) -> None:
    machine.answers = {command: script, **machine.answers} | {command: script}
    code, said = machine.restore()
    assert code == 1
    assert says in said
    assert said.count("Nothing was changed.") == 1
    assert machine.changed == []


@pytest.mark.parametrize("step", ["migrate --noinput", "new_epoch"])
def test_a_backup_that_this_version_cannot_work_with_changes_nothing(machine: Machine, step: str) -> None:
    machine.answers["compose --progress quiet run"] = f"[[ $asked != *{step.split()[0]}* ]]"
    code, said = machine.restore()
    assert code == 1
    assert "Nothing was changed." in said
    assert machine.changed == []
    assert "DROP DATABASE IF EXISTS rooms_restored" in machine.done[-1]


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"FILE": ""}, "Which backup?"),
        ({"FILE": "nowhere"}, "There is no file nowhere"),
        ({"IDENTITY": "nowhere"}, "There is no file nowhere"),
    ],
)
def test_a_file_that_is_not_there_is_named_before_anything_is_done(
    machine: Machine, env: dict[str, str], says: str
) -> None:
    code, said = machine.restore(**env)
    assert code == 1
    assert says in said
    assert machine.done == []
