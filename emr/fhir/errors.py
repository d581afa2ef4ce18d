"""Why a record or a file is not taken. Reasons never repeat what stood in the record."""

from __future__ import annotations


class Refused(Exception):
    """One record that is not taken: a short code for counting, a reason for people."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Damaged(Exception):
    """A file, or the rest of it, that is not readable as FHIR JSON."""
