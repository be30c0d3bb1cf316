"""The app with which docs/topics.md begins, done as the page says, and what it has a reader type."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import contract

PAGE = Path(__file__).parents[1] / "docs" / "topics.md"
HOST = "localhost:8000"  # as the page has it


def install(app: Path) -> None:
    """Puts it where the page says, in a copy of the project whose folder app/ this is."""
    (app / "votes").mkdir()
    (app / "votes" / "__init__.py").touch()
    (app / "votes" / "topics.py").write_text(programs()[0])
    settings = app / "config" / "settings.py"
    text, found = re.subn(r"^INSTALLED_APPS = \[\n", '\\g<0>    "votes",\n', settings.read_text(), flags=re.MULTILINE)
    assert found == 1
    settings.write_text(text)


def programs() -> list[str]:
    """The page's Python: first all of app/votes/topics.py, then what a view says."""
    found = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert "class Votes(Topic):" in found[0]
    return found


@contextmanager
def followed(base_url: str) -> Iterator[Iterator[dict[str, Any]]]:
    """What somebody hears who types the first command, as of when she has joined: frame by frame."""
    follow, _ = commands(base_url)
    with subprocess.Popen(["bash", "-c", f"exec {follow} -s"], stdout=subprocess.PIPE) as curl:
        assert curl.stdout
        events = contract.Stream()
        frames = (frame for line in curl.stdout if (frame := events.take(line)))
        try:
            assert any(frame["type"] == "joined" for frame in frames)
            yield frames
        finally:
            curl.kill()


def voted(base_url: str, option: str) -> dict[str, Any]:
    """What the second one answers who wants that."""
    _, vote = commands(base_url)
    return json.loads(subprocess.check_output(["bash", "-c", f"{vote} -s".replace("pizza", option)]))  # type: ignore[no-any-return]


def commands(base_url: str) -> tuple[str, str]:
    """By which one follows the topic, and votes."""
    typed = re.findall(r"```sh\n(curl .*?)```", PAGE.read_text(), re.DOTALL)[0]
    follow, vote = typed.replace(f"http://{HOST}", base_url).splitlines()
    assert "event-stream" in follow
    assert "pizza" in vote
    return follow, vote
