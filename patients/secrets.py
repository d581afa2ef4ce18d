"""The keys this site runs with, and texts sealed under them outside the sealed columns.

Decides which key ring the settings name; what a text means, and who may read it, is its owner's.
"""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from patients.crypto import Cipher, Ring

_parse = lru_cache(maxsize=8)(Ring.parse)


def ring() -> Ring:
    """Return the ring of DATA_KEYS. Raises BadKeys."""
    return _parse(settings.DATA_KEYS)


def cipher(purpose: str) -> Cipher:
    """Return what seals texts for a purpose; columns have their own names, without a colon."""
    return ring().cipher(f"text:{purpose}")


def seal_text(purpose: str, row: str, text: str) -> str:
    """Return a text sealed for one purpose and one row: ASCII, about 4/3 as long, 85 at least.

    `row` is whatever must not be exchanged for another: an id, or a user's and a name.
    """
    return cipher(purpose).seal(text, row.encode())


def open_text(purpose: str, row: str, sealed: str) -> str:
    """Return what was sealed for this purpose and row.

    Raises one of the three kinds of `patients.crypto.SealBroken`; opening is not noted in the
    record of looks, so that it is for secrets and drafts, not for what is known of a patient.
    """
    return cipher(purpose).open(sealed, row.encode())
