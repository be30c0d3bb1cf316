"""The shell scripts that people run on their own machines, of which a Mac has bash 3.2."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPTS = [*sorted(ROOT.glob("docker/*.sh")), ROOT / "tests/setup.sh", ROOT / "tests/lint.sh", ROOT / ".ci/run"]
# What bash has learned since.
NEWER = {
    "arrays from lines": r"\b(mapfile|readarray)\b",
    "associative arrays and references": r"\b(declare|local|typeset) -\w*[Anglu]",
    "case of letters": r"\$\{\w+(\[[^]]*\])?(,,?|\^\^?)",
    "operators of parameters": r"\$\{\w+@\w\}",
    "pipes with both outputs": r"\|&|&>>",
    "fall through": r";;?&",
    "co-processes": r"\bcoproc\b",
    "waiting for any": r"\bwait -\w*n",
    "is it set": r"\[\[[^]]* -v ",
    "its own variables": r"\b(BASHPID|EPOCHSECONDS|EPOCHREALTIME|SRANDOM)\b",
    "time by printf": r"%\([^)]*\)T",
    "the last element": r"\[-1\]",
}


@pytest.mark.parametrize("script", [*SCRIPTS, ROOT / "Makefile"], ids=lambda path: path.name)
def test_an_old_bash_can_read_it(script: Path) -> None:
    text = re.sub(r"(?m)^\s*#.*", "", script.read_text())
    assert {what: re.findall(pattern, text) for what, pattern in NEWER.items() if re.search(pattern, text)} == {}


def test_the_patterns_find_what_they_are_for() -> None:
    examples = [
        *("mapfile -t x", "declare -A x", "${x,,}", "${x[@]^}", "${x@Q}", "a |& b", "a) b ;;&", "coproc a", "wait -n"),
        *("[[ -v x ]]", "$EPOCHSECONDS", "printf '%(%s)T'", "${x[-1]}"),
    ]
    found = [what for example in examples for what, pattern in NEWER.items() if re.search(pattern, example)]
    assert sorted(set(found)) == sorted(NEWER)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_it_finds_its_folder_whatever_cd_is_told_to_search(script: Path) -> None:
    changes = re.findall(r"(?m)^(.*)cd \"\$\(dirname", script.read_text())
    assert [before for before in changes if not before.endswith("CDPATH='' ")] == []


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("django-websocket-stack", ""),
        ("Rooms 2", ""),
        ("it's a$b#c?d+e%2Ff", ""),
        ("聊天室", "rooms-"),
        ("rooms_", "rooms-"),
        ("_x-", "x-"),
        ("a___b", "a-b-"),
    ],
)
def test_a_folder_after_which_compose_cannot_name_a_project_gets_one_by_its_name(
    tmp_path: Path, folder: str, name: str
) -> None:
    (tmp_path / folder).mkdir()
    said = project(tmp_path / folder)
    assert said.startswith(name)
    assert re.fullmatch(f"{name}[0-9]+" if name else "", said)
    assert said == project(tmp_path / folder)


def test_a_project_that_has_a_name_keeps_it(tmp_path: Path) -> None:
    folder = tmp_path / "聊天室"
    folder.mkdir()
    assert project(folder, COMPOSE_PROJECT_NAME="mine") == ""
    (folder / ".env").write_text("HTTPS=1\nCOMPOSE_PROJECT_NAME=mine\n")
    assert project(folder) == ""


@pytest.mark.parametrize(("folder", "says"), [("rooms", ""), ("聊天室", "COMPOSE_PROJECT_NAME=rooms-")])
def test_make_says_a_projects_name_only_where_it_had_to_choose_one(tmp_path: Path, folder: str, says: str) -> None:
    there, bin = tmp_path / folder, tmp_path / "bin"
    for name in ("Makefile", "docker/project.sh", "docker/files.sh"):
        (there / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, there / name)
    (there / "docker/up.sh").write_text("#!/bin/sh\necho up\n")
    bin.mkdir()
    (bin / "docker").write_text("#!/bin/sh\n")
    for program in (there / "docker/up.sh", bin / "docker"):
        program.chmod(0o755)
    env = {"PATH": f"{bin}:/usr/bin:/bin", "LANG": "C.UTF-8"}
    *said, last = subprocess.run(["make", "up"], cwd=there, env=env, capture_output=True, text=True).stdout.splitlines()
    assert last == "up"
    assert bool(said) == bool(says)
    assert says in "".join(said)


def project(folder: Path, **variables: str) -> str:
    command = [ROOT / "docker/project.sh"]
    env = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **variables}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True)
    return done.stdout.strip()


TLS = "docker/tls.yml"


@pytest.mark.parametrize(
    ("env", "variables", "files"),
    [
        ("HTTPS=1", {}, ""),
        ("DOMAIN=", {}, ""),
        ("#DOMAIN=rooms.example.org", {}, ""),
        ("DOMAIN=rooms.example.org", {}, f"docker-compose.yml:{TLS}"),
        ('export DOMAIN = "rooms.example.org" # ours', {}, f"docker-compose.yml:{TLS}"),
        ("", {"DOMAIN": "rooms.example.org"}, f"docker-compose.yml:{TLS}"),
        ("DOMAIN=rooms.example.org\nCOMPOSE_FILE='a.yml:b.yml'", {}, f"a.yml:b.yml:{TLS}"),
        ("DOMAIN=rooms.example.org\nCOMPOSE_FILE=a.yml", {"COMPOSE_FILE": "c.yml"}, f"c.yml:{TLS}"),
        (f"DOMAIN=rooms.example.org\nCOMPOSE_FILE=a.yml:{TLS}:b.yml", {}, ""),
    ],
)
def test_a_domain_brings_the_file_for_tls_unless_it_is_there(
    tmp_path: Path, env: str, variables: dict[str, str], files: str
) -> None:
    (tmp_path / ".env").write_text(f"{env}\n")
    done = subprocess.run(
        [ROOT / "docker/files.sh"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", **variables},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.strip()) == (0, files)


def test_a_checkout_on_windows_keeps_the_line_ends_that_bash_reads(tmp_path: Path) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    theirs.mkdir()
    for name in (".gitattributes", "Makefile", "docker/project.sh"):
        (theirs / Path(name).name).write_bytes((ROOT / name).read_bytes())
    who = ["-c", "user.name=Alice", "-c", "user.email=alice@example.org"]
    for command in (["init", "--quiet"], ["add", "."], [*who, "commit", "--quiet", "-m", "Clone"]):
        subprocess.run(["git", *command], cwd=theirs, check=True)
    subprocess.run(["git", "-c", "core.autocrlf=true", "clone", "--quiet", theirs, ours], check=True)
    assert [path.name for path in ours.iterdir() if path.is_file() and b"\r\n" in path.read_bytes()] == []
