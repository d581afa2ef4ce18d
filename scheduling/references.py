"""What a visit's reference looks like, and how one that somebody typed is read.

Whether there is a visit of that reference is not known here.
"""

from __future__ import annotations

ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"
LENGTH = 8


def as_kept(typed: str) -> str:
    """Return what was typed without hyphens and white space, in capitals: "7k4m-2bcd" → "7K4M2BCD".

    It need not be a reference.
    """
    return "".join(typed.replace("-", "").upper().split())


def is_reference(text: str) -> bool:
    """Whether this can be a reference as it is kept."""
    return len(text) == LENGTH and set(text) <= set(ALPHABET)
