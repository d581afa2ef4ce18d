"""Keyed digests of what must be found again without being read. Pure: keys are handed in."""

from __future__ import annotations

import hashlib
import hmac


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
