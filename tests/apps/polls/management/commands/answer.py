"""Writes an answer word by word, as a worker does that asks a language model."""

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.polls.topics import Answers


class Command(BaseCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("subject")
        parser.add_argument("words", type=int)
        parser.add_argument("--pause", type=float, default=0.02)
        parser.add_argument("--until", type=Path, help="a file that has to be there before the second half")

    def handle(self, *, subject: str, words: int, pause: float, until: Path | None, **_: Any) -> None:
        with Answers(subject=subject).writing({"by": "llm"}) as out:
            self.stdout.write(f"seq {out.seq}", ending="\n")
            self.stdout.flush()
            for number in range(words):
                while until and number == words // 2 and not until.exists():
                    time.sleep(pause)
                if out.cancelled:
                    break
                out.write(f"word{number} ")
                time.sleep(pause)
            self.stdout.write(f"cancelled {out.cancelled} at {len(out.text)}")
