"""Says what is wrong with the deployment and how to mend it. Beside the servers, or by the site's address."""

import json
import sys
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from topics.doctor import inside, outside
from topics.doctor.findings import BROKEN, DOUBTFUL, OK, Finding


class Command(BaseCommand):
    help = (
        "Looks at the settings, the machine, the database and Redis; with --url instead at what a browser meets there. "
        "Says what is wrong, each in a sentence with the line that mends it. Exit status 1 where something is broken."
    )
    requires_system_checks: list[str] = []  # they are findings like the others

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", help="such as https://rooms.example.org: look from outside, from any machine")
        parser.add_argument("--json", action="store_true", help="for programs")
        parser.add_argument(
            "--silence",
            type=int,
            default=90,
            help="with --url: hold a socket without a word for so many seconds, 0 for not at all (default: 90)",
        )

    def handle(self, *args: Any, url: str | None, json: bool, silence: int, **options: Any) -> None:
        found = self._findings(url, silence)
        states = list(self._as_json(found) if json else self._as_text(found))
        if BROKEN in states:
            sys.exit(1)

    def _findings(self, url: str | None, silence: int) -> Iterator[Finding]:
        if not url:
            yield from inside.look()
            return
        if silence and sys.stderr.isatty():
            self.stderr.write(f"At the end a socket is held in silence for {silence} s; --silence 0 leaves that out.")
        try:
            yield from outside.look(url, silence)
        except ValueError as error:
            raise CommandError(str(error)) from None

    def _as_text(self, found: Iterator[Finding]) -> Iterator[str]:
        styles = {OK: self.style.SUCCESS, DOUBTFUL: self.style.WARNING, BROKEN: self.style.ERROR}
        for finding in found:
            self.stdout.write(f"{styles[finding.state](f'{finding.state:8}')}  {finding.check}: {finding.says}")
            if finding.mend:
                self.stdout.write(f"{'':10}-> {finding.mend}")
            self.stdout.flush()
            yield finding.state

    def _as_json(self, found: Iterator[Finding]) -> Iterator[str]:
        findings = list(found)
        self.stdout.write(json.dumps({"findings": [finding._asdict() for finding in findings]}, indent=2))
        return (finding.state for finding in findings)
