"""docs/guides followed to the letter: each file is made, each line put where the text says, each command run."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from servers.app import Server

ROOT = Path(__file__).parents[2]
GUIDES = ROOT / "docs" / "guides"
BLOCK = r"^`([^`\n]+)`(, [^\n]*)?\n\n```(\w+)\n(.*?)^```$"
# The packages count as installed, whichever environment the tests run in.
MAKE = "make --assume-old=.run/venv/app.txt"
PASSWORD = "correct horse"


class Block(NamedTuple):
    """What a file consists of, or with a place, what is added to one that exists."""

    file: str
    place: str
    language: str
    text: str

    def put(self, folder: Path) -> None:
        path = folder / self.file
        if self.place:
            assert self.place == "at the end", self.place
            path.write_text(path.read_text() + "\n" + self.text)
        else:
            assert not path.exists(), f"{self.file} is there already"
            write(path, self.text)


class Guide:
    """A page whose blocks are files, or lines for files, and whose commands end with starting the server."""

    def __init__(self, text: str) -> None:
        self.text = text

    @property
    def blocks(self) -> list[Block]:
        found = re.findall(BLOCK, self.text, re.MULTILINE | re.DOTALL)
        return [Block(file, place.removeprefix(", "), language, text) for file, place, language, text in found]

    @property
    def files(self) -> list[str]:
        """All that are made."""
        return [*self.empty_files, *(block.file for block in self.blocks if not block.place)]

    def lines(self, language: str) -> int:
        """How many one writes into files of one's own, without empty ones."""
        mine = [block.text for block in self.blocks if block.language == language and not block.place]
        return sum(1 for line in "".join(mine).splitlines() if line.strip())

    @property
    def empty_files(self) -> list[str]:
        return re.findall(r"an empty\s+`([^`]+)`", self.text)

    @property
    def commands(self) -> list[str]:
        blocks = re.findall(r"^```sh\n(.*?)^```$", self.text, re.MULTILINE | re.DOTALL)
        return [command for block in blocks for command in block.splitlines()]

    @property
    def before_start(self) -> list[str]:
        return self.commands[: self.commands.index("make run")]

    @property
    def after_start(self) -> list[str]:
        return self.commands[self.commands.index("make run") + 1 :]


def section(page: str, title: str) -> Guide:
    """One part of a page, from its heading to the next."""
    [text] = re.findall(rf"^##+ {title}\n(.*?)(?=^##|\Z)", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    return Guide(text)


def guides() -> dict[str, Guide]:
    return {page.stem: Guide(page.read_text()) for page in sorted(GUIDES.glob("*.md"))}


class Checkout:
    """The project as somebody has cloned it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._typed: set[str] = set()

    @classmethod
    def clone(cls, folder: Path) -> "Checkout":
        folder.mkdir(exist_ok=True)
        for name in ("Makefile", ".env.example"):
            shutil.copy(ROOT / name, folder)
        for name in ("app", "docker"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "staticfiles"))
        (folder / ".run").mkdir()
        (folder / ".run/venv").symlink_to(sys.prefix)
        return cls(folder)

    def copy(self, name: str) -> "Checkout":
        """Another one beside it, with what was done so far."""
        return Checkout(shutil.copytree(self.folder, self.folder.with_name(name), symlinks=True))

    def follow(self, guide: Guide) -> None:
        """As far as `make run`. What another guide has asked for as well, such as an account, is there already."""
        for file in guide.empty_files:
            write(self.folder / file, "")
        for block in guide.blocks:
            block.put(self.folder)
        for command in guide.before_start:
            if command not in self._typed:
                self.run(command)
            self._typed.add(command)

    def run(self, command: str) -> str:
        """A line typed into a terminal. Who makes an account there is alice."""
        if command == "make lock":  # asks the package index, and what it would have installed is there
            return ""
        who = {
            "DJANGO_SUPERUSER_USERNAME": "alice",
            "DJANGO_SUPERUSER_EMAIL": "",
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        }
        line = re.sub(r"^make admin$", "make admin ARGS=--noinput", command)
        done = subprocess.run(
            ["bash", "-c", re.sub(r"^make ", f"{MAKE} ", line)],
            cwd=self.folder,
            env={**environment(), **who},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def server(self, **variables: str) -> Server:
        """`make run`, not started yet."""
        return Server("make run", [*MAKE.split(), "run"], self.folder, environment(**variables))


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def environment(**variables: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "LANG": "C.UTF-8", **variables}


def followed(folder: Path) -> Checkout:
    """All guides in one checkout."""
    checkout = Checkout.clone(folder)
    for guide in guides().values():
        checkout.follow(guide)
    return checkout
