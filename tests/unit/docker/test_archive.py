"""The file of a backup: what was written is read again, and anything else is refused by a sentence."""

import io
import runpy
import tarfile
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[3] / "docker/postgres/backup"
archive = runpy.run_path(str(FOLDER / "archive.py"))
database = runpy.run_path(str(FOLDER / "database.py"))
Reader, Unfit, Writer = archive["Reader"], archive["Unfit"], archive["Writer"]

ABOUT = {"commit": "0123abcd", "postgres": "17.2", "bytes": 5}
MANIFEST = {"tables": {"topics_log": 3}, "ends": {"logs": 3}}
DUMP = bytes(range(256)) * 40_000  # some pieces


def backup(dump: bytes = DUMP, key: bytes | None = b"secret") -> bytes:
    out = io.BytesIO()
    writer = Writer(out)
    writer.begin(ABOUT, key)
    assert sum(writer.dump(io.BytesIO(dump))) == len(dump)
    writer.end(MANIFEST)
    return out.getvalue()


def read(file: bytes) -> tuple[dict[str, Any], bytes | None, bytes, dict[str, Any]]:
    reader = Reader(io.BytesIO(file))
    dump = b"".join(reader.pieces())
    return reader.about, reader.key, dump, reader.manifest()


def rewritten(file: bytes, *, name: str, content: bytes | None = None, without: bool = False) -> bytes:
    """The file as somebody would write it who has tar, and not this program."""
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(file)) as old, tarfile.open(fileobj=out, mode="w") as new:
        for member in old:
            data = old.extractfile(member)
            assert data
            kept = data.read()
            if member.name == name:
                if without:
                    continue
                kept = content if content is not None else kept
            member.size = len(kept)
            new.addfile(member, io.BytesIO(kept))
    return out.getvalue()


@pytest.mark.parametrize("dump", [b"", b"x", DUMP], ids=["empty", "small", "large"])
@pytest.mark.parametrize("key", [None, b"secret"], ids=["no key", "key"])
def test_what_was_written_is_read_again(dump: bytes, key: bytes | None) -> None:
    about, found, restored, manifest = read(backup(dump, key))
    assert about.items() >= ABOUT.items()
    assert (found, restored, manifest) == (key, dump, MANIFEST)


def test_tar_alone_finds_the_dump_in_it() -> None:
    with tarfile.open(fileobj=io.BytesIO(backup())) as tar:
        pieces = [tar.extractfile(member) for member in tar if member.name.startswith("database.dump/")]
        assert len(pieces) > 1
        assert b"".join(piece.read() for piece in pieces if piece) == DUMP


@pytest.mark.parametrize("file", [b"", b"not a tar", b"PGDMP" + bytes(2000), bytes(10_240)])
def test_what_is_no_backup_is_called_so(file: bytes) -> None:
    with pytest.raises(Unfit, match="This is no backup"):
        read(file)


def test_any_other_tar_is_no_backup() -> None:
    with pytest.raises(Unfit, match="This is no backup"):
        read(rewritten(backup(), name="about.json", without=True))


def test_a_backup_that_was_cut_anywhere_is_refused() -> None:
    file = backup()
    for size in (*range(512, len(file) - 20_000, 700_001), len(file) - 12_000):
        with pytest.raises(Unfit):
            read(file[:size])


def test_a_backup_of_which_any_byte_was_changed_is_refused() -> None:
    file = backup(b"words " * 300, b"secret")
    content = [index for index, byte in enumerate(file) if byte]  # the padding means nothing
    for index in content[:: len(content) // 300]:
        damaged = bytearray(file)
        damaged[index] ^= 1
        try:
            assert read(bytes(damaged)) == read(file), index  # a time of a member, for example
        except Unfit:
            continue


@pytest.mark.parametrize(
    ("name", "content"),
    [("secret_key", b"mallory"), ("database.dump/00000001", DUMP[:100]), ("about.json", b'{"format": 1}')],
)
def test_a_member_that_was_exchanged_is_noticed(name: str, content: bytes) -> None:
    with pytest.raises(Unfit, match="not what was written"):
        read(rewritten(backup(), name=name, content=content))


def test_a_piece_that_is_missing_is_noticed() -> None:
    with pytest.raises(Unfit, match="not what was written"):
        read(rewritten(backup(), name="database.dump/00000002", without=True))


def test_a_later_form_of_backups_is_left_to_the_version_that_knows_it() -> None:
    with pytest.raises(Unfit, match="newer version"):
        read(rewritten(backup(), name="about.json", content=b'{"format": 2}'))


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"{"])
def test_garbage_instead_of_json_is_a_sentence(content: bytes) -> None:
    for name, says in (("about.json", "no backup"), ("manifest.json", "not what was written")):
        with pytest.raises(Unfit, match=says):
            read(rewritten(backup(), name=name, content=content))


def test_rows_and_ends_that_differ_are_named() -> None:
    was = {"tables": {"a": 1, "b": 2, "gone": 0}, "ends": {"digest": "1"}}
    found = {"tables": {"a": 1, "b": 3, "more": 1}, "ends": {"digest": "2"}}
    assert database["differences"](was, was) == []
    assert database["differences"](was, found) == [
        "b has 3 rows instead of 2",
        "gone has no rows instead of 0",
        "more has 1 rows instead of no",
        "the logs of topics end elsewhere",
    ]


def test_the_password_reaches_postgres_programs_by_their_environment() -> None:
    env = database["login"]("postgres://rooms:p%2Fw@postgres:5433/rooms", "other")
    names = ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE")
    assert [env[name] for name in names] == ["postgres", "5433", "rooms", "p/w", "other"]
