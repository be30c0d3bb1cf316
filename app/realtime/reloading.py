"""The loop of writing code: the server runs in a child process, which ends after a save, and another one begins.

The parent holds the listeners, so that nobody is refused meanwhile: who comes waits for the next child. A child that
cannot start, because the code is broken or a setting is, has said why; the next save starts another one.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import cache_from_source, find_spec
from pathlib import Path
from types import FrameType
from typing import Final

from django.apps import apps
from django.utils import autoreload

from realtime.ending import RELOAD

LOOK_SECONDS: Final = 0.2
CHILD: Final = "--child"  # the option by which a child knows what it is; its two values are read by `inherited`
BROKEN: Final = (
    "The server has ended (status {status}); what stands above says why. The next save of a Python file in {folder} "
    "starts it again, Ctrl-C ends it."
)

Stamps = dict[str, int]


class Parent:
    """Starts children until one ends as it was asked to. Takes SIGTERM and SIGINT."""

    def __init__(self, listeners: Sequence[socket.socket]) -> None:
        self._listeners = [listener.fileno() for listener in listeners]
        self._folder = project_folder()
        self._child: subprocess.Popen[bytes] | None = None
        self._leaving = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._leave)

    def run(self) -> None:
        while True:
            before = stamps(self._folder)  # so that a save while the child starts counts, too
            status = self._serve()
            if self._leaving or status == 0:
                return
            if status != RELOAD:
                self._await_a_save(before, status)

    def _serve(self) -> int:
        values = [",".join(map(str, self._listeners)), str(time.time())]
        command = [*autoreload.get_child_arguments(), "--noreload", CHILD, *values]
        # Ctrl-C reaches the child by the terminal as well, and until it can heed that, it would print a traceback.
        self._child = subprocess.Popen(command, pass_fds=self._listeners, preexec_fn=_ignore_ctrl_c)
        if self._leaving:
            self._child.terminate()
        return self._child.wait()

    def _await_a_save(self, before: Stamps, status: int) -> None:
        print(BROKEN.format(status=status, folder=self._folder), file=sys.stderr)
        while stamps(self._folder) == before and not self._leaving:
            time.sleep(LOOK_SECONDS)

    def _leave(self, number: int, frame: FrameType | None) -> None:
        self._leaving = True
        if self._child:
            self._child.terminate()


def _ignore_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def inherited(numbers: str, started: str) -> tuple[list[socket.socket], "Reloader"]:
    """What a child has of its parent: the listeners, and since when changes of the code are to be looked for."""
    listeners = [socket.socket(fileno=int(number)) for number in numbers.split(",")]
    for listener in listeners:
        listener.setblocking(False)
    return listeners, Reloader(float(started))


def watch(reloader: "Reloader", reload: Callable[[], None]) -> None:
    """Has a thread call reload() when the code has changed."""
    autoreload.ensure_echo_on()  # a debugger that was cut off may have left it off
    threading.Thread(target=_watch, args=(reloader, reload), name="reloader", daemon=True).start()


def _watch(reloader: "Reloader", reload: Callable[[], None]) -> None:
    try:
        reloader.run(threading.main_thread())
    except SystemExit:  # Django's word for it
        reload()


class Reloader(autoreload.StatReloader):
    """Django's, and it notices what was saved while the process started, new files in an app's folder, and the
    parent's end, which ends the process."""

    def __init__(self, started: float) -> None:
        super().__init__()
        self._started = started
        self._parent = os.getppid()
        for app in apps.get_app_configs():
            self.watch_dir(app.path, "*.py")

    def tick(self) -> Iterator[None]:
        known: dict[Path, float] = {}
        while os.getppid() == self._parent:
            for path, mtime in self.snapshot_files():
                if mtime != known.get(path, mtime) or (path not in known and self._is_new(mtime)):
                    self.notify_file_changed(path)
                known[path] = mtime
            time.sleep(LOOK_SECONDS)
            yield
        os.kill(os.getpid(), signal.SIGTERM)

    def notify_file_changed(self, path: str | os.PathLike[str]) -> None:
        # Python compares what it has compiled with a file's size and whole seconds alone.
        if (file := os.fspath(path)).endswith(".py"):
            Path(cache_from_source(file)).unlink(missing_ok=True)
        super().notify_file_changed(path)

    def _is_new(self, mtime: float) -> bool:
        return self._started < mtime < time.time()  # a date in the future would never cease to be new


def project_folder() -> Path:
    """Where the package of the settings lies, and with it, as a rule, manage.py and the apps."""
    package = os.environ["DJANGO_SETTINGS_MODULE"].partition(".")[0]
    spec = find_spec(package)
    assert spec, package
    [place, *_] = spec.submodule_search_locations or [spec.origin or ""]
    return Path(place).resolve().parent


def stamps(folder: Path) -> Stamps:
    """When each Python file below the folder was written, without environments and hidden folders."""
    found = {}
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not _is_foreign(os.path.join(place, name))]
        for file in (os.path.join(place, name) for name in files if name.endswith(".py")):
            found[file] = _written(file)
    return found


def _is_foreign(folder: str) -> bool:
    name = os.path.basename(folder)
    return name.startswith(".") or name == "node_modules" or os.path.exists(os.path.join(folder, "pyvenv.cfg"))


def _written(file: str) -> int:
    try:
        return os.stat(file).st_mtime_ns
    except OSError:  # an editor is replacing it
        return 0
