"""The file: a tar whose members are written one after another while the database is read, and read in the same way.

    about.json         what is known before: when, of which version, how large
    secret_key         the one that signs sessions; missing where the stack has none of its own
    database.dump/N    pg_dump's custom format, in pieces, since a tar says the size of a member before its content
    manifest.json      what is known after: rows and ends of logs
    sha256             a checksum of all the rest

So a backup needs no disk but the one it is written to, and without this program it is
`tar -xOf FILE --wildcards 'database.dump/*' >database.dump` that pg_restore reads.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from typing import IO, Any, Final

FORMAT: Final = 1
PIECE: Final = 4 * 2**20
MOST_BESIDE: Final = 64 * 2**20  # bytes of a member that is no piece; the lists of tables are some KB

ABOUT, KEY, PIECES, MANIFEST, SUM = "about.json", "secret_key", "database.dump/", "manifest.json", "sha256"

NO_BACKUP: Final = "This is no backup of this stack"
CUT: Final = "The backup is cut or damaged: it has no end"
DAMAGED: Final = "The backup is damaged: what it holds is not what was written"


class Unfit(Exception):
    """The file cannot be used: a sentence without its full stop."""


class Writer:
    def __init__(self, out: IO[bytes]) -> None:
        self._tar = tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - `end` closes it
        self._sum = hashlib.sha256()

    def begin(self, about: dict[str, Any], key: bytes | None) -> None:
        self._add(ABOUT, json.dumps({"format": FORMAT, **about}).encode())
        if key is not None:
            self._add(KEY, key)

    def dump(self, source: IO[bytes]) -> Iterator[int]:
        """Yields the bytes of each piece once it is written."""
        number = 0
        while piece := source.read(PIECE):
            number += 1
            self._add(f"{PIECES}{number:08}", piece)
            yield len(piece)

    def end(self, manifest: dict[str, Any]) -> None:
        self._add(MANIFEST, json.dumps(manifest).encode())
        self._add(SUM, self._sum.hexdigest().encode())
        self._tar.close()

    def _add(self, name: str, content: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(content), 0o400
        self._tar.addfile(member, io.BytesIO(content))
        add(self._sum, name, content)


class Reader:
    """`about` and `key` first, then the pieces, then the manifest. Raises Unfit where anything does not fit."""

    about: dict[str, Any]
    key: bytes | None = None

    def __init__(self, source: IO[bytes]) -> None:
        self._sum = hashlib.sha256()
        self._members = members(source)
        name, content = next(self._members, ("", b""))
        if name != ABOUT:
            raise Unfit(NO_BACKUP)
        add(self._sum, name, content)
        self.about = parsed(content, NO_BACKUP)
        if self.about.get("format") != FORMAT:
            raise Unfit("The backup was made by a newer version of this stack: take that one")
        self._next = next(self._members, ("", b""))
        if self._next[0] == KEY:
            add(self._sum, *self._next)
            self.key = self._next[1]
            self._next = next(self._members, ("", b""))

    def pieces(self) -> Iterator[bytes]:
        number = 0
        while self._next[0].startswith(PIECES):
            number += 1
            if self._next[0] != f"{PIECES}{number:08}":
                raise Unfit(DAMAGED)
            add(self._sum, *self._next)
            yield self._next[1]
            self._next = next(self._members, ("", b""))

    def manifest(self) -> dict[str, Any]:
        """To be asked for once all pieces are read."""
        if self._next[0] != MANIFEST:
            raise Unfit(CUT)
        add(self._sum, *self._next)
        name, content = next(self._members, ("", b""))
        if not name:
            raise Unfit(CUT)
        if (name, content) != (SUM, self._sum.hexdigest().encode()) or any(self._members):
            raise Unfit(DAMAGED)
        return parsed(self._next[1], DAMAGED)


def members(source: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    begun = False
    try:
        with tarfile.open(fileobj=source, mode="r|") as tar:
            for member in tar:
                begun = True
                content = tar.extractfile(member) if member.isreg() and member.size <= MOST_BESIDE else None
                if content is None:
                    raise Unfit(DAMAGED)
                data = content.read()
                if len(data) != member.size:
                    raise Unfit(CUT)
                yield member.name, data
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise Unfit(CUT if begun else NO_BACKUP) from error


def parsed(content: bytes, otherwise: str) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        raise Unfit(otherwise) from None
    if not isinstance(found, dict):
        raise Unfit(otherwise)
    return found


def add(sum: Any, name: str, content: bytes) -> None:
    """The length before the content: nothing can be moved from one member to the next."""
    sum.update(f"{name} {len(content)}\n".encode())
    sum.update(content)
