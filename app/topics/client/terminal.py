"""What somebody at a terminal sees and types. Elsewhere: plain lines in, plain lines out."""

import asyncio
import contextlib
import dataclasses
import json
import os
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, TextIO

from topics.client.events import Event, News, Person, Presence, Reset, Signal
from topics.client.lasting import encode

try:
    import readline
except ImportError:  # Windows
    readline = None  # type: ignore[assignment]

try:
    import termios
except ImportError:
    termios = None  # type: ignore[assignment]

PROMPT: Final = "> "
COLOURS: Final = {"dim": 2, "red": 31, "green": 32, "yellow": 33, "blue": 34}
# Control characters of others mean nothing here: they could move the cursor, or worse.
HARMLESS: Final = str.maketrans(dict.fromkeys([*range(32), *range(127, 160)], "�"))


class Terminal:
    """`as_json`: a JSON object a line, for programs."""

    def __init__(self, *, as_json: bool = False, out: TextIO = sys.stdout, source: TextIO = sys.stdin) -> None:
        self._json, self._out, self._source = as_json, out, source
        self._has_keys = source.isatty() and out.isatty() and not as_json
        self._colours = out.isatty() and not as_json and not os.environ.get("NO_COLOR")
        self._is_asking = False

    # --- Showing -------------------------------------------------------------------------------------

    def show(self, news: News) -> None:
        if self._json:
            self._print(
                encode({"type": type(news).__name__.lower(), **dataclasses.asdict(news)}, default=datetime.isoformat)
            )
        elif isinstance(news, Event):
            self._print(self.event(news))
        elif isinstance(news, Signal):
            self._print(f"{self.paint('dim', '~')} {self.name(news.by)} {document(news.data)}")
        elif isinstance(news, Presence):
            coming = [f"+{person.name}" for person in news.joined] + [f"-{person.name}" for person in news.left]
            self._print(self.paint("dim", f"{' '.join(coming)} ({news.member_count} here)".translate(HARMLESS)))
        elif isinstance(news, Reset):
            self._print(self.paint("yellow", "What came before cannot be continued. The latest events:"))

    def event(self, event: Event) -> str:
        head = f"{self.paint('blue', f'#{event.seq}')} {self.paint('dim', f'{event.at.astimezone():%H:%M:%S}')}"
        about = f" changes #{event.about}:" if event.about else ""
        what = self.paint("dim", "taken back") if event.retracted else document(event.data)
        return f"{head} {self.name(event.by)}{about} {what}"

    def name(self, person: Person | None) -> str:
        if person is None:
            return self.paint("dim", "nobody")
        return self.paint("dim" if person.guest else "green", person.name.translate(HARMLESS))

    def remark(self, sentence: str) -> None:
        """What is no news of the topic: not for programs."""
        if self._has_keys or not self._json:
            self._print(self.paint("dim", sentence.translate(HARMLESS)), to=None if self._has_keys else sys.stderr)

    def complain(self, sentence: str) -> None:
        text = sentence.translate(HARMLESS)
        if self._has_keys:
            self._print(self.paint("red", text))
        else:
            print(text, file=sys.stderr, flush=True)

    def paint(self, colour: str, text: str) -> str:
        return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m" if self._colours else text

    def _print(self, text: str, to: TextIO | None = None) -> None:
        """Above the line that is being typed, which stays."""
        if self._is_asking:
            typed = readline.get_line_buffer() if readline else ""
            text = f"\r\x1b[K{text}\n{PROMPT}{typed}"
            print(text, end="", file=self._out, flush=True)
        else:
            print(text, file=to or self._out, flush=True)

    # --- Typing --------------------------------------------------------------------------------------

    def lines(self) -> "asyncio.Queue[str | None]":
        """Lines as they are typed, then None. A thread reads them: nothing else can be waited for on every system."""
        loop, queue = asyncio.get_running_loop(), asyncio.Queue[str | None]()

        def read() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended before the input
                for line in self._read():
                    loop.call_soon_threadsafe(queue.put_nowait, line)
                loop.call_soon_threadsafe(queue.put_nowait, None)

        threading.Thread(target=read, name="lines", daemon=True).start()
        return queue

    def _read(self) -> Iterator[str]:
        if not self._has_keys:
            yield from (line.rstrip("\r\n") for line in self._source)
            return
        with contextlib.suppress(EOFError):
            while True:
                self._is_asking = True
                yield input(PROMPT)
        self._is_asking = False

    @contextlib.contextmanager
    def as_it_was(self) -> Iterator[None]:
        """Whoever ends while a line is being typed leaves a terminal that echoes."""
        before = termios.tcgetattr(self._source) if termios and self._has_keys else None
        try:
            yield
        finally:
            if before is not None:
                termios.tcsetattr(self._source, termios.TCSADRAIN, before)
            if self._is_asking:
                print(file=self._out, flush=True)


def document(data: Any) -> str:
    """On one line. A text is shown as it is."""
    return (data if isinstance(data, str) else encode(data)).translate(HARMLESS)


def data_of(line: str) -> Any:
    """JSON, or else the line as text."""
    try:
        return json.loads(line)
    except ValueError:
        return line
