"""Messages in a stream of bytes (MLLP): start block VT, end block FS, carriage return.

Takes bytes as they come, in any pieces; knows no socket and no word of HL7.
"""

from __future__ import annotations

START, END, RETURN = b"\x0b", b"\x1c", b"\r"
LONGEST = 1024 * 1024
HEAD = 4_096


class FrameTooLong(Exception):
    """A frame passed the longest that is taken. `head` is how it began."""

    def __init__(self, head: bytes) -> None:
        super().__init__("frame too long")
        self.head = head


def framed(message: bytes) -> bytes:
    return START + message + END + RETURN


class Unframer:
    """Gathers pieces until a frame is whole.

    What stands between frames is passed over, so is a frame that is cut short by the start of
    another. An end block counts without its carriage return too: some senders leave it out.
    """

    def __init__(self, *, longest: int = LONGEST) -> None:
        self.longest = longest
        self._pieces = bytearray()
        self._is_inside = False

    @property
    def is_inside(self) -> bool:
        """Whether a frame has begun and not ended."""
        return self._is_inside

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the messages that this piece completes. Raises FrameTooLong."""
        found = []
        while piece:
            if not self._is_inside:
                _, start, piece = piece.partition(START)
                self._is_inside = bool(start)
                self._pieces.clear()
                continue
            whole, end, piece = piece.partition(END)
            self._gather(whole)
            if end:
                self._is_inside = False
                found.append(bytes(self._pieces))
        return found

    def _gather(self, piece: bytes) -> None:
        _, again, last = piece.rpartition(START)
        if again:
            self._pieces.clear()
        self._pieces += last
        if len(self._pieces) > self.longest:
            raise FrameTooLong(bytes(self._pieces[:HEAD]))
