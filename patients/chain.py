"""Decides what a seal is: which bytes of the audit it covers, how seals hang together, who signed.

Pure: rows come as the database writes them, keys are handed in. Knows no table and no file.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

FORMAT = 1
BEGINNING = bytes(32)  # what the first seal follows
ID_BYTES, DIGEST_BYTES = 8, 24
ENTRY_BYTES = ID_BYTES + DIGEST_BYTES
PURPOSE = b"daysheet audit seal\0"
KEY_NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")


class BadKey(ValueError):
    """A key is not `name:base64 of 32 bytes`. Says which name, never the key."""


@dataclass(frozen=True, slots=True)
class SealKey:
    """The private half of an Ed25519 pair, under the name that seals carry."""

    name: str
    private: Ed25519PrivateKey

    @classmethod
    def parse(cls, text: str) -> Self:
        name, raw = _named(text)
        return cls(name, Ed25519PrivateKey.from_private_bytes(raw))

    @staticmethod
    def written(name: str, private: Ed25519PrivateKey) -> str:
        """Return the private half as `parse` takes it."""
        return f"{name}:{base64.b64encode(private.private_bytes_raw()).decode()}"

    def public(self) -> str:
        """Return the public half as settings take it: `name:base64`."""
        raw = self.private.public_key().public_bytes_raw()
        return f"{self.name}:{base64.b64encode(raw).decode()}"

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(PURPOSE + message)


@dataclass(frozen=True, slots=True)
class VerifyKeys:
    """The public halves that are trusted, by name: old ones stay, so that old seals verify."""

    by_name: dict[str, Ed25519PublicKey]

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Self:
        named = (_named(text) for text in texts)
        return cls({name: Ed25519PublicKey.from_public_bytes(raw) for name, raw in named})

    def knows(self, name: str) -> bool:
        return name in self.by_name

    def confirm(self, name: str, signature: bytes, message: bytes) -> bool:
        """Say whether the key of this name signed the message; an unknown key signed nothing."""
        key = self.by_name.get(name)
        if key is None:
            return False
        try:
            key.verify(signature, PURPOSE + message)
        except InvalidSignature:
            return False
        return True


def _named(text: str) -> tuple[str, bytes]:
    name, _, encoded = text.strip().partition(":")
    if not KEY_NAME.fullmatch(name):
        raise BadKey("A seal key is written name:base64, the name of letters, digits, -, _ and .")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise BadKey(f"The seal key {name} is not base64.") from error
    if len(raw) != 32:
        raise BadKey(f"The seal key {name} must have 32 bytes.")
    return name, raw


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a row stands in the order of sealing within one cluster: transaction, then id."""

    transaction: int
    row: int


@dataclass(frozen=True, slots=True)
class Head:
    """What is signed of one batch: where it stands, what it covers, and what came before.

    It covers every row that was written on `cluster` after the cluster's seal before this one, up
    to and with `through`. `entries` is the SHA-256 of the batch's entries, `columns` that of the
    names of the row's columns; `total` counts all rows sealed so far.
    """

    number: int
    previous: str
    cluster: int
    timeline: int
    columns: str
    through: Place
    first: int
    rows: int
    total: int
    entries: str
    sealed_at: str
    key: str

    def canonical(self) -> bytes:
        """Return the one way in which this head is written; that is what is signed."""
        return canonical({"format": FORMAT, **asdict(self)})

    def digest(self) -> bytes:
        """Return the 32 bytes by which the next seal names this one."""
        return hashlib.sha256(self.canonical()).digest()

    @classmethod
    def read(cls, fields: dict[str, Any]) -> Self:
        """Return the head that `canonical` wrote. Raises KeyError, TypeError or ValueError."""
        given = dict(fields)
        if given.pop("format") != FORMAT:
            raise ValueError("a seal of a format that is not known here")
        through = Place(**given.pop("through"))
        return cls(**given, through=through)


def canonical(value: dict[str, Any]) -> bytes:
    """Return JSON with sorted keys and nothing between: equal values, equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def columns_digest(columns: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(list(columns)).encode("ascii")).hexdigest()


def entry(line: bytes) -> bytes:
    """Return a row's 32 bytes: its id and the first 24 bytes of the SHA-256 of all the rest.

    `line` is one line of PostgreSQL's COPY in text, without the newline: columns divided by tabs,
    the id first, NULL as backslash N, and tabs, newlines and backslashes escaped, so that no two
    rows share a line. Anybody can compute it again with psql and sha256sum.
    """
    number, _, rest = line.partition(b"\t")
    digest = hashlib.sha256(rest).digest()[:DIGEST_BYTES]
    return int(number).to_bytes(ID_BYTES, "big", signed=True) + digest


def place_of(line: bytes) -> Place:
    """Return where a line's row stands; the transaction is the second column."""
    number, transaction, _ = line.split(b"\t", 2)
    return Place(int(transaction), int(number))


def unpacked(entries: bytes) -> list[tuple[int, bytes]]:
    """Return (id, digest) of each entry, in order. A last incomplete one is left out."""
    whole = len(entries) // ENTRY_BYTES * ENTRY_BYTES
    return [
        (
            int.from_bytes(entries[at : at + ID_BYTES], "big", signed=True),
            entries[at + ID_BYTES : at + ENTRY_BYTES],
        )
        for at in range(0, whole, ENTRY_BYTES)
    ]
