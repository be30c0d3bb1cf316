"""Frames that leave together: encoded and framed once, however many sockets they go to."""

import struct
from collections.abc import Iterable, Iterator

from realtime.limits import MAX_FRAME_BYTES

TEXT_FIN = 0x81
BRACKETS = 2


class Bundle:
    """Some frames, as UTF-8, that fit one WebSocket frame as an array. `size` is in bytes."""

    __slots__ = ("_batched", "_plain", "payloads", "size")

    def __init__(self, payloads: list[bytes]) -> None:
        self.payloads = payloads
        self.size = sum(map(len, payloads))
        self._plain = self._batched = b""

    @classmethod
    def of(cls, frame: str) -> "Bundle":
        return cls([frame.encode()])

    def wire(self, batch: bool) -> bytes:
        """What the transport takes (RFC 6455, unmasked): one array, or each frame by itself, one after another."""
        if batch:
            self._batched = self._batched or framed(self._array())
            return self._batched
        self._plain = self._plain or b"".join(map(framed, self.payloads))
        return self._plain

    def texts(self, batch: bool) -> Iterator[tuple[str, int]]:
        """What an ASGI server takes, each with how much of `size` it is. One at a time, as each may have to wait."""
        if batch:
            yield self._array().decode(), self.size
        else:
            for payload in self.payloads:
                yield payload.decode(), len(payload)

    def _array(self) -> bytes:
        return b"[%b]" % b",".join(self.payloads)


def framed(payload: bytes) -> bytes:
    length = len(payload)
    if length < 126:
        return struct.pack("!BB", TEXT_FIN, length) + payload
    if length < 65_536:
        return struct.pack("!BBH", TEXT_FIN, 126, length) + payload
    return struct.pack("!BBQ", TEXT_FIN, 127, length) + payload


def bundles(payloads: Iterable[bytes]) -> Iterator[Bundle]:
    """As few as hold them all, in order. A frame that is too big for any stands alone."""
    some: list[bytes] = []
    size = BRACKETS
    for payload in payloads:
        size += len(payload) + 1
        if some and size - 1 > MAX_FRAME_BYTES:
            yield Bundle(some)
            some, size = [], BRACKETS + len(payload) + 1
        some.append(payload)
    if some:
        yield Bundle(some)


def bundled(payloads: list[bytes]) -> Iterable[Bundle]:
    """The same of what came in one round, which nearly always one holds."""
    if sum(map(len, payloads)) + len(payloads) + BRACKETS <= MAX_FRAME_BYTES:
        return (Bundle(payloads),)
    return bundles(payloads)


def joined(some: list[Bundle]) -> list[Bundle]:
    """The same frames in as few bundles as hold them."""
    if len(some) < 2:
        return some
    return list(bundled([payload for bundle in some for payload in bundle.payloads]))
