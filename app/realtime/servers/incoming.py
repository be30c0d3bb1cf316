"""What a client sends, cut at the borders of its frames, and the usual frame read here and now.

A whole, masked text of usual size costs a twentieth of what the servers' libraries take for it. Whatever is
anything else is theirs, as bytes: fragments, control frames, binary data, everything that is wrong.
"""

try:
    from websockets.speedups import apply_mask  # native
except ImportError:
    from websockets.utils import apply_mask

UNIT_BITS = 10  # of a share: a piece, and each 1,024 bytes of it
TEXT_FIN, FIN, MASKED, CONTROL = 0x81, 0x80, 0x80, 0x08
LENGTH_BITS, TWO_BYTES = 0x7F, 126  # above that, the length has eight bytes
MASK = 4


class Incoming:
    """Data in by `add`, pieces out by `next`. Bytes of one frame are given out as they come: none are kept for it.

    `begun` counts frames of every kind, `share` counts down by a unit for each piece and for each KiB of it: both
    are set by who reads.
    """

    __slots__ = ("_at", "_data", "_in_fragments", "_owed", "begun", "share")

    def __init__(self) -> None:
        self._data = b""
        self._at = 0
        self._owed = 0  # bytes that belong to a frame of the library's and have not come yet
        self._in_fragments = False  # of a message, between which no other message may stand
        self.begun = 0
        self.share = 0

    def add(self, data: bytes) -> None:
        self._data = self._data[self._at :] + data if self._at < len(self._data) else data
        self._at = 0

    @property
    def waits(self) -> bool:
        """Whether there is something to give out, be it the begin of a frame."""
        return self._at < len(self._data)

    def next(self) -> str | bytes | None:
        """A text, or bytes for the library, of one frame at most; None where more data is needed."""
        if not self._owed and (text := self._begin_frame()) is not None:
            return text
        piece = self._data[self._at : self._at + self._owed]
        self._at += len(piece)
        self._owed -= len(piece)
        if piece:
            self.share -= 1 + (len(piece) >> UNIT_BITS)
            return piece
        self._data, self._at = self._data[self._at :], 0  # an idle socket keeps nothing of what it sent
        return None

    def _begin_frame(self) -> str | None:
        """The frame's text if it is a usual one that is here; else notes how long it is, as soon as that is known."""
        data, at = self._data, self._at
        if len(data) - at < 2:
            return None
        first, second = data[at], data[at + 1]
        length, start = second & LENGTH_BITS, at + 2
        if length >= TWO_BYTES:
            start += 2 if length == TWO_BYTES else 8
            if len(data) < start:
                return None
            usual = length == TWO_BYTES
            length = int.from_bytes(data[at + 2 : start])
            usual = usual and length >= TWO_BYTES
        else:
            usual = True
        if second & MASKED:
            start += MASK
        end = start + length
        if usual and first == TEXT_FIN and second & MASKED and end <= len(data) and not self._in_fragments:
            try:
                text = apply_mask(data[start:end], data[start - MASK : start]).decode()
            except UnicodeDecodeError:
                pass  # the library knows how to refuse it
            else:
                self._at = end
                self.begun += 1
                self.share -= 1 + (length >> UNIT_BITS)
                return text
        self._owed = end - at
        self.begun += 1
        if not first & CONTROL:
            self._in_fragments = not first & FIN
        return None
