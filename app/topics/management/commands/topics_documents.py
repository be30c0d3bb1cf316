"""Writes the documents of what is spoken here: AsyncAPI for sockets, OpenAPI for HTTP."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from topics.documents import asyncapi, openapi


class Command(BaseCommand):
    help = "Write asyncapi.json, for sockets, and openapi.json, for HTTP, into a folder."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="Such as ../docs: what stands there is replaced.")

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, document in (("asyncapi.json", asyncapi.document()), ("openapi.json", openapi.document())):
            (folder / name).write_text(worded(document))
            self.stdout.write(f"Wrote {folder / name}")


def worded(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
