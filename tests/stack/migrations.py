"""Migrations that a test adds to a copy of the project."""

from pathlib import Path

FOLDER = "app/rooms/migrations"


def add(project: Path, name: str, text: str) -> Path:
    """The new file; `{after}` in the text is replaced by the last migration that there was."""
    last = sorted(path.stem for path in (project / FOLDER).glob("*_*.py") if path.stem != "__init__")[-1]
    file = project / FOLDER / f"{name}.py"
    file.write_text(text.replace("{after}", last))
    return file
