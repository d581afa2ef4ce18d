"""Seals a stream of any length in chunks, and opens one only as far as it proves whole. Knows
neither files nor what flows; a chunk changed, moved, left out or added is an error with its number.

Layout, version 1: MAGIC, version byte, key id (length byte, ASCII), 32 random bytes that name the
stream, 16 bytes that tell whether a key is the right one; then chunks: 4 bytes of length, whose top
bit marks the last one, and AES-256-GCM ciphertext. The key is derived anew for each stream, the
nonce is the chunk's number, and the header stands in every chunk's associated data.
"""

from __future__ import annotations

import hmac
import secrets
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = b"DAYSHEET-SEALED\n"
VERSION = 1
CHUNK = 1 << 20
TAG = 16
_LAST = 1 << 31
_STREAM_ID = 32
_CHECK = 16
_LONGEST_KEY_ID = 40


class StreamError(Exception):
    """A stream that cannot be opened; its words name the reason and no content."""


class NotSealed(StreamError):
    """Something else than a sealed stream, or one of a later version."""


class UnknownKey(StreamError):
    """Sealed under a key id that the ring does not hold."""


class WrongKey(StreamError):
    """The ring's key of that id is not the one that sealed the stream."""


class Damaged(StreamError):
    """A chunk is not what was written there: changed, moved, left out or added."""


class Truncated(StreamError):
    """The stream ends before its last chunk."""


@dataclass(frozen=True, slots=True)
class Header:
    """What stands in clear before the chunks."""

    key_id: str
    stream_id: bytes
    check: bytes

    def encoded(self) -> bytes:
        name = self.key_id.encode("ascii")
        return b"".join(
            (MAGIC, bytes([VERSION, len(name)]), name, self.stream_id, self.check),
        )


def seal(plain: Iterable[bytes], *, key_id: str, key: bytes) -> Iterator[bytes]:
    """Yield the sealed stream of the blocks of `plain`, in memory of a few chunks.

    `key` has 32 bytes, `key_id` 1 to 40 ASCII characters. Raises ValueError of any other.
    """
    if len(key) != 32 or not 1 <= len(key_id) <= _LONGEST_KEY_ID:
        raise ValueError("A stream is sealed with a key of 32 bytes and a short id.")
    stream_id = secrets.token_bytes(_STREAM_ID)
    cipher, check = _derive(key, stream_id)
    header = Header(key_id, stream_id, check).encoded()
    yield header
    number, held = 0, bytearray()
    for block in plain:
        held += block
        while len(held) > CHUNK:  # the last chunk is never empty-handed: it waits for the end
            yield _chunk(cipher, header, number, bytes(held[:CHUNK]), last=False)
            del held[:CHUNK]
            number += 1
    yield _chunk(cipher, header, number, bytes(held), last=True)


def unseal(sealed: BinaryIO, *, keys: Mapping[str, bytes]) -> Iterator[bytes]:
    """Yield what was sealed, chunk by chunk, each only after it proved authentic.

    A consumer that acts on the beginning must undo it when a later chunk raises. `keys` maps ids
    to keys of 32 bytes. Raises NotSealed, UnknownKey, WrongKey, Damaged or Truncated.
    """
    header = read_header(sealed)
    if header.key_id not in keys:
        raise UnknownKey(f"The stream is sealed under the key {header.key_id!r}, which is missing.")
    cipher, check = _derive(keys[header.key_id], header.stream_id)
    if not hmac.compare_digest(check, header.check):
        raise WrongKey(f"The key {header.key_id!r} is not the one that sealed this stream.")
    aad = header.encoded()
    number, last = 0, False
    while not last:
        body, last = _read_chunk(sealed, number)
        try:
            yield cipher.decrypt(_nonce(number, last=last), body, aad)
        except InvalidTag:
            raise Damaged(f"Chunk {number} is not what was written there.") from None
        number += 1
    if sealed.read(1):
        raise Damaged(f"Something was added after the last chunk, {number - 1}.")


def read_header(sealed: BinaryIO) -> Header:
    """Return the header of a stream. Raises NotSealed or Truncated."""
    start = sealed.read(len(MAGIC) + 2)
    if not start.startswith(MAGIC[: len(start)]) or not start:
        raise NotSealed("This is no sealed stream.")
    if len(start) < len(MAGIC) + 2:
        raise Truncated("The stream ends in its header.")
    version, length = start[-2:]
    if version != VERSION or not 1 <= length <= _LONGEST_KEY_ID:
        raise NotSealed(f"This is no sealed stream of version {VERSION}.")
    name = _exactly(sealed, length, "its header")
    stream_id = _exactly(sealed, _STREAM_ID, "its header")
    check = _exactly(sealed, _CHECK, "its header")
    return Header(name.decode("ascii", "replace"), stream_id, check)


def _derive(key: bytes, stream_id: bytes) -> tuple[AESGCM, bytes]:
    """Return the stream's own cipher, and what tells whether `key` is the right one."""
    material = HKDF(
        algorithm=SHA256(), length=32 + _CHECK, salt=stream_id, info=b"daysheet sealed stream 1"
    ).derive(key)
    return AESGCM(material[:32]), material[32:]


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11) + bytes([last])


def _chunk(cipher: AESGCM, header: bytes, number: int, plain: bytes, *, last: bool) -> bytes:
    body = cipher.encrypt(_nonce(number, last=last), plain, header)
    return struct.pack(">I", len(body) | (_LAST if last else 0)) + body


def _read_chunk(sealed: BinaryIO, number: int) -> tuple[bytes, bool]:
    (word,) = struct.unpack(">I", _exactly(sealed, 4, f"chunk {number}"))
    length, last = word & ~_LAST, bool(word & _LAST)
    if not TAG <= length <= CHUNK + TAG:
        raise Damaged(f"Chunk {number} says a length that no chunk has.")
    return _exactly(sealed, length, f"chunk {number}"), last


def _exactly(sealed: BinaryIO, count: int, where: str) -> bytes:
    """Return `count` bytes, from a pipe too, which may give fewer at a time."""
    found = bytearray()
    while len(found) < count:
        block = sealed.read(count - len(found))
        if not block:
            raise Truncated(f"The stream ends in {where}.")
        found += block
    return bytes(found)
