"""Seals what patients told us, and digests what must be found again without being read.

Pure: keys, rows and uses are handed in. Knows neither models nor where keys come from.

A sealed text is `1.<key id>.<base64>`: the format's version, which key, then nonce, ciphertext and
tag. It is ASCII, not bytes, so that it travels through JSON into the booking function as it is,
and so that a query can tell by the beginning of a value which key it needs.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64decode
from binascii import Error as NotBase64
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from os import urandom
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = "1"
KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
# Padded lengths are 32, 80, 128 …: how long a name is does not show, and nonce, text and tag are a
# multiple of three bytes, so that each value has exactly one base64 form.
FIRST_BLOCK, BLOCK = 32, 48
DEVELOPMENT = b"development-only"
_KEY_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,23}")


class SealBroken(Exception):
    """A stored value that cannot be opened. Never says what it held."""


class NotSealed(SealBroken):
    """A stored value that has not the form of a sealed one: plain, or cut short."""


class UnknownKey(SealBroken):
    """A stored value that names a key which is not at hand."""


class Tampered(SealBroken):
    """A stored value that was changed, belongs to another row or column, or has another key."""


class BadKeys(ValueError):
    """A list of keys that cannot be used. Names the key's id, never the key."""


def parse_keys(text: str) -> dict[str, bytes]:
    """Return keys by id, in the order of "id:base64,id:base64", each of 32 bytes.

    Raises BadKeys for an empty list, a malformed or repeated id, a repeated key, or one that is
    not 32 bytes long.
    """
    keys: dict[str, bytes] = {}
    for number, entry in enumerate(text.split(","), 1):
        key_id, colon, encoded = entry.strip().partition(":")
        if not colon or not _KEY_ID.fullmatch(key_id):
            raise BadKeys(f"entry {number} is not id:base64 with an id of a-z, 0-9 and -")
        try:
            key = b64decode(encoded, validate=True)
        except NotBase64:
            raise BadKeys(f"the key {key_id} is not base64") from None
        if len(key) != KEY_BYTES:
            raise BadKeys(f"the key {key_id} has {len(key)} bytes, not {KEY_BYTES}")
        if key_id in keys or key in keys.values():
            raise BadKeys(f"the key {key_id} is there twice")
        keys[key_id] = key
    return keys


def is_weak(key: bytes) -> bool:
    """Whether a key is a public development key, or plainly not random."""
    return key.startswith(DEVELOPMENT) or len(set(key)) < KEY_BYTES // 2


class Ring:
    """Several keys to read with, the first of which writes. Each use has keys of its own."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = dict(keys)
        self._ciphers: dict[str, Cipher] = {}

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the ring of "id:base64,id:base64". Raises BadKeys."""
        return cls(parse_keys(text))

    def __repr__(self) -> str:
        return f"<Ring of {len(self._keys)}>"

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all keys, the writing one first."""
        return tuple(self._keys)

    def cipher(self, use: str) -> Cipher:
        """Return what seals and opens for one use, such as `patients.patient.dob`."""
        found = self._ciphers.get(use)
        if found is None:
            found = self._ciphers[use] = Cipher(self._keys, use)
        return found


class Cipher:
    """AES-256-GCM for one use. What it seals opens for the same use and row, and nowhere else.

    A nonce is 96 random bits: the key of a use is good for 2^32 values, then rotate.
    """

    __slots__ = ("_aes", "_context", "_current", "head")

    def __init__(self, keys: Mapping[str, bytes], use: str) -> None:
        self._aes = {key_id: AESGCM(derive(key, use)) for key_id, key in keys.items()}
        key_id = next(iter(keys))
        self._current = self._aes[key_id]
        self._context = f"{VERSION}\0{use}\0".encode()
        self.head = f"{VERSION}.{key_id}."

    def seal(self, text: str, row: bytes) -> str:
        """Return the sealed form of a text that belongs to a row."""
        plain = text.encode() + b"\x80"
        plain += bytes((FIRST_BLOCK - len(plain)) % BLOCK)
        nonce = urandom(NONCE_BYTES)
        body = nonce + self._current.encrypt(nonce, plain, self._context + row)
        return self.head + b2a_base64(body, newline=False).decode()

    def open(self, sealed: str, row: bytes) -> str:
        """Return the text again. Raises NotSealed, UnknownKey or Tampered, never anything else."""
        parts = sealed.split(".", 2)
        if len(parts) != 3 or parts[0] != VERSION:
            raise NotSealed("A stored value is not sealed.")
        aes = self._aes.get(parts[1])
        if aes is None:
            raise UnknownKey("A stored value needs a key that is not in the ring.")
        try:
            body = a2b_base64(parts[2], strict_mode=True)
        except ValueError:
            raise NotSealed("A stored value is damaged.") from None
        if len(body) < NONCE_BYTES + FIRST_BLOCK + TAG_BYTES:
            raise NotSealed("A stored value was cut short.")
        try:
            plain = aes.decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], self._context + row)
        except InvalidTag:
            raise Tampered("A stored value was changed, or belongs elsewhere.") from None
        return plain.rstrip(b"\0")[:-1].decode()

    def is_current(self, sealed: str) -> bool:
        """Whether a value is sealed with the key that writes."""
        return sealed.startswith(self.head)


def derive(key: bytes, use: str) -> bytes:
    """Return the 32-byte key of one use, from which the others cannot be told (HKDF-SHA-256)."""
    info = b"daysheet:" + use.encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(key)


def blind_index(*, key: str, column: str, value: str) -> bytes:
    """Return the 32-byte HMAC-SHA-256 under which a normalised value of a column is found.

    Each column has its own key, derived from the master key, so that equal values in two
    columns cannot be linked. An empty value has the empty index, which matches nothing.
    """
    if not value:
        return b""
    column_key = hmac.digest(key.encode(), b"blind-index:" + column.encode(), hashlib.sha256)
    return hmac.digest(column_key, value.encode(), hashlib.sha256)


def token_digest(token: str) -> bytes:
    """Return what is stored of a random token of at least 128 bits: its SHA-256."""
    return hashlib.sha256(token.encode()).digest()
