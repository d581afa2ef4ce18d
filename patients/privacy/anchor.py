"""Keeps the heads of the seals in a file outside the database, so that a cut-off end is noticed.

One line of JSON for each seal, appended and flushed to the disk before sealing goes on. Knows
nothing of rows; a line is believed where its signature or the seal of the same number confirms it.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from patients.chain import Head, SealKey, VerifyKeys, canonical

LOOK_BACK = 65_536
DIGEST = 32


class AnchorMissing(Exception):
    """There is no anchor where settings say, though there are seals."""


class AnchorAhead(Exception):
    """The anchor names seals that the database has no more, or has differently."""


class AnchorBroken(Exception):
    """Lines are missing in the anchor before that of seal `number`, or its end says nothing."""

    def __init__(self, number: int | None = None) -> None:
        super().__init__(
            "The anchor ends in lines that cannot be read."
            if number is None
            else f"The anchor lacks the lines before seal {number}."
        )
        self.number = number


@dataclass(frozen=True, slots=True)
class Signed:
    """A head with its signature, as a seal or a line of the anchor has it."""

    head: Head
    signature: bytes

    def is_genuine(self, keys: VerifyKeys) -> bool:
        return keys.confirm(self.head.key, self.signature, self.head.canonical())


@dataclass(frozen=True, slots=True)
class Resumed:
    """After a restore, sealing went on from here: what stood beyond in the anchor was lost."""

    number: int
    digest: bytes
    lost: int


@dataclass(slots=True)
class Trail:
    """The whole anchor: the digest of each head from the seal `start` on, 32 bytes for each."""

    start: int = 1
    digests: bytearray = field(default_factory=bytearray)
    losses: list[Resumed] = field(default_factory=list)
    unreadable: int = 0

    @property
    def end(self) -> int:
        """The number of the last seal that it names, or where it begins less one."""
        return self.start - 1 + len(self.digests) // DIGEST

    def digest(self, number: int) -> bytes | None:
        at = (number - self.start) * DIGEST
        return bytes(self.digests[at : at + DIGEST]) or None if at >= 0 else None

    def add(self, line: Signed | Resumed) -> None:
        """Take the next line. Raises AnchorBroken where it does not go on from the one before."""
        if isinstance(line, Resumed):
            self.losses.append(line)
            self.start = min(self.start, line.number + 1)
            del self.digests[(line.number - self.start + 1) * DIGEST :]
            return
        if not self.digests and not self.losses:
            self.start = line.head.number
        if line.head.number != self.end + 1:
            raise AnchorBroken(line.head.number)
        self.digests += line.head.digest()


def parse(line: bytes, keys: VerifyKeys | None = None) -> Signed | Resumed | None:
    """Return what a line says; None where a crash cut it off or somebody wrote nonsense.

    With keys, a line about a restore must be signed, because it declares losses to be known.
    """
    try:
        said: dict[str, Any] = json.loads(line)
        signature = bytes.fromhex(said["signature"])
        if "resumed" not in said:
            return Signed(Head.read(said["head"]), signature)
        told = said["resumed"]
        if keys is not None and not keys.confirm(told["key"], signature, canonical(told)):
            return None
        return Resumed(told["resumed_after"], bytes.fromhex(told["digest"]), told["lost"])
    except (KeyError, TypeError, ValueError):
        return None


def read(path: Path, keys: VerifyKeys) -> Trail:
    """Return the anchor as a whole, 32 bytes of memory for each seal.

    Raises AnchorMissing, and AnchorBroken where lines are missing between others.
    """
    trail = Trail()
    try:
        with path.open("rb") as file:
            for line in file:
                said = parse(line, keys)
                if said is None:
                    trail.unreadable += 1
                else:
                    trail.add(said)
    except FileNotFoundError as error:
        raise AnchorMissing(f"There is no anchor at {path}.") from error
    return trail


def find(path: Path, number: int) -> Signed | None:
    """Return the last line about a seal."""
    found = None
    with path.open("rb") as file:
        for line in file:
            said = parse(line)
            if isinstance(said, Signed) and said.head.number == number:
                found = said
    return found


def last(path: Path) -> tuple[int, bytes] | None:
    """Return number and digest of the seal at which the anchor stands; None where it is empty.

    Raises AnchorMissing, and AnchorBroken where its end says nothing.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - LOOK_BACK))
            tail = file.read().split(b"\n")
    except FileNotFoundError as error:
        raise AnchorMissing(f"There is no anchor at {path}.") from error
    for line in reversed(tail):
        said = parse(line)
        if isinstance(said, Signed):
            return said.head.number, said.head.digest()
        if isinstance(said, Resumed):
            return said.number, said.digest
    if any(tail):
        raise AnchorBroken
    return None


def create(path: Path) -> None:
    """Make an empty anchor, readable by its owner and group only. Raises FileExistsError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o640))
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


@contextmanager
def _appending(path: Path) -> Iterator[int]:
    """Hold the anchor for one writer; what was written is on the disk when this ends."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(descriptor: int, lines: Sequence[bytes]) -> None:
    size = os.fstat(descriptor).st_size
    torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
    waiting = (b"\n" if torn else b"") + b"".join(line + b"\n" for line in lines)
    while waiting:
        waiting = waiting[os.write(descriptor, waiting) :]


def publish(path: Path, heads: Sequence[Signed]) -> None:
    """Append the heads that the anchor does not have yet, in order."""
    with _appending(path) as descriptor:
        at = last(path)
        fresh = [signed for signed in heads if at is None or signed.head.number > at[0]]
        _write(descriptor, [_line(signed) for signed in fresh])


def _line(signed: Signed) -> bytes:
    head = json.loads(signed.head.canonical())
    return canonical({"head": head, "signature": signed.signature.hex()})


def resume(path: Path, *, number: int, digest: bytes, key: SealKey) -> None:
    """Declare, signed, that a restore lost what the anchor names beyond this seal."""
    with _appending(path) as descriptor:
        at = last(path)
        told = {
            "resumed_after": number,
            "digest": digest.hex(),
            "lost": at[0] - number if at else 0,
            "key": key.name,
        }
        signature = key.sign(canonical(told)).hex()
        _write(descriptor, [canonical({"resumed": told, "signature": signature})])
