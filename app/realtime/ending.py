"""How the process ends: with which status, with which words, and by when."""

import os
import sys
import threading
from typing import NoReturn

EXIT_SECONDS = 0.5  # for the interpreter to end, after everything else
TAKEN_PORT, BAD_SETTING = 1, 2
RELOAD = 3  # the status by which realtime.reloading is asked for a successor


def refuse(sentence: str, code: int) -> NoReturn:
    """Ends before it has served, with a sentence that says what to do."""
    print(sentence, file=sys.stderr)
    raise SystemExit(code)


def end_after(seconds: float, status: int) -> None:
    """Threads that hang, in a query for example, do not keep the process."""
    clock = threading.Timer(seconds, os._exit, [status])
    clock.daemon = True
    clock.start()
