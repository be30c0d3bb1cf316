"""What counts as a save while dora writes code."""

import os
import py_compile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from realtime import reloading
from realtime.reloading import Reloader, stamps


class Noticed(Reloader):
    """Looks at the files of one folder, and remembers what it noticed instead of ending the process."""

    def __init__(self, folder: Path, started: float) -> None:
        super().__init__(started)
        self.folder = folder
        self.noticed: list[str] = []

    def snapshot_files(self) -> Iterator[tuple[Path, float]]:
        for path in sorted(self.folder.glob("*.py")):
            yield path, path.stat().st_mtime

    def notify_file_changed(self, path: str | os.PathLike[str]) -> None:
        self.noticed.append(Path(path).name)

    def look(self) -> list[str]:
        self.noticed = []
        next(self.looks)
        return self.noticed


@pytest.fixture
def reloader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Noticed:
    monkeypatch.setattr(reloading, "LOOK_SECONDS", 0)
    saved(tmp_path / "views.py", -60)
    reloader = Noticed(tmp_path, time.time() - 10)
    reloader.looks = reloader.tick()
    return reloader


def saved(path: Path, seconds: float) -> None:
    path.touch()
    os.utime(path, 2 * (time.time() + seconds,))


def test_what_was_there_before_is_not_new(reloader: Noticed) -> None:
    assert reloader.look() == reloader.look() == []


def test_a_save_is_noticed_once(reloader: Noticed) -> None:
    reloader.look()
    saved(reloader.folder / "views.py", 0)
    assert reloader.look() == ["views.py"]
    assert reloader.look() == []


def test_an_older_version_that_is_put_back_is_noticed(reloader: Noticed) -> None:
    reloader.look()
    saved(reloader.folder / "views.py", -3_600)
    assert reloader.look() == ["views.py"]


def test_what_was_saved_while_the_process_started_is_noticed(reloader: Noticed) -> None:
    saved(reloader.folder / "views.py", -5)
    assert reloader.look() == ["views.py"]


def test_a_new_file_is_noticed(reloader: Noticed) -> None:
    reloader.look()
    saved(reloader.folder / "topics.py", -1)
    assert reloader.look() == ["topics.py"]


def test_a_file_of_tomorrow_does_not_reload_for_ever(reloader: Noticed) -> None:
    saved(reloader.folder / "views.py", 86_400)
    assert reloader.look() == []


def test_what_python_has_compiled_of_it_is_thrown_away(tmp_path: Path) -> None:
    """A second save within the second, of the same length, would not be seen in it."""
    source = tmp_path / "views.py"
    source.touch()
    compiled = Path(py_compile.compile(str(source)) or "")
    assert compiled.exists()
    with pytest.raises(SystemExit):
        Reloader(time.time()).notify_file_changed(source)
    assert not compiled.exists()


def test_who_waits_for_a_save_looks_neither_into_environments_nor_at_anything_but_python(tmp_path: Path) -> None:
    for name in ("rooms/views.py", "rooms/notes.txt", ".git/hook.py", "node_modules/a.py", "env/lib/b.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "env/pyvenv.cfg").touch()
    assert list(stamps(tmp_path)) == [str(tmp_path / "rooms/views.py")]


def test_a_file_that_goes_or_comes_is_a_save(tmp_path: Path) -> None:
    before = stamps(tmp_path)
    (tmp_path / "new.py").touch()
    assert stamps(tmp_path) != before
