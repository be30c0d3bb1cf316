"""Encryption by age, where a key is given: to a public key, so that who makes backups cannot read them."""

import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, Final

from archive import Unfit

BEGINNING: Final = b"age-encryption.org/v1\n"
SHORT: Final = 2**16


class Counted:
    """Bytes as they come, the first of which somebody has looked at."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source, self.count = source, 0
        self.beginning = self._ahead = source.read(len(BEGINNING))

    def read(self, size: int) -> bytes:
        data = self._ahead[:size] or self._source.read(size)
        self._ahead = self._ahead[size:]
        self.count += len(data)
        return data


class Written:
    """Counts what goes out."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out, self.count = out, 0

    def write(self, data: bytes) -> int:
        self._out.write(data)
        self.count += len(data)
        return len(data)


@contextmanager
def encrypted(out: Written, key: str) -> Iterator[Any]:
    """What is written to it comes out encrypted to the key; as it is where there is none."""
    if not key:
        yield out
        return
    command = ["age", "--encrypt", "-r", key]
    if said := subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).stderr:
        raise Unfit(f"age does not take this key ({first_line(said)}): KEY=age1…, or the line of an SSH key")
    age = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    pump = threading.Thread(target=drain, args=(age, out), daemon=True)
    pump.start()
    assert age.stdin
    with age.stdin:
        yield age.stdin
    pump.join()
    if age.wait():
        raise Unfit("age fails")


@contextmanager
def decrypted(source: Counted, identity: bytes) -> Iterator[Any]:
    """The file's content, whether it is encrypted or not."""
    if source.beginning != BEGINNING:
        yield source
        exhaust(source)
        return
    if not identity:
        raise Unfit("The backup is encrypted: IDENTITY=path of the secret key that belongs to it")
    with tempfile.NamedTemporaryFile() as file:
        file.write(identity)
        file.flush()
        pipe = subprocess.PIPE
        age = subprocess.Popen(["age", "--decrypt", "-i", file.name], stdin=pipe, stdout=pipe, stderr=pipe)
        threading.Thread(target=feed, args=(source, age), daemon=True).start()
        assert age.stdout
        try:
            yield age.stdout
            exhaust(age.stdout)
        except Unfit:
            # What age could not read is the reason for what is missing behind it.
            age.stdout.close()
            if age.wait():
                raise Unfit(refusal(reason(age))) from None
            raise
        if age.wait():
            raise Unfit(refusal(reason(age)))


def drain(age: "subprocess.Popen[bytes]", out: Written) -> None:
    assert age.stdout
    try:
        while data := age.stdout.read(SHORT):
            out.write(data)
    except OSError:
        age.kill()  # nobody reads what it writes


def exhaust(source: Any) -> None:
    """What fills the last block, and whatever stands behind it: who writes it shall not be left with it."""
    while source.read(SHORT):
        pass


def refusal(said: str) -> str:
    if "no identity matched" in said:
        return "The backup is encrypted to another key than IDENTITY's"
    if "identity" in said or "identities" in said:
        return "IDENTITY is no secret key of age, nor one of SSH without a passphrase"
    return "The backup is cut or damaged: it cannot be decrypted"


def feed(source: Counted, age: "subprocess.Popen[bytes]") -> None:
    assert age.stdin
    with suppress(BrokenPipeError):  # it has seen enough, and says why
        while data := source.read(SHORT):
            age.stdin.write(data)
    with suppress(BrokenPipeError):
        age.stdin.close()


def reason(age: "subprocess.Popen[bytes]") -> str:
    assert age.stderr
    return first_line(age.stderr.read())


def first_line(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[0].removeprefix("age: ").removeprefix("error: ") if lines else "it says nothing"
