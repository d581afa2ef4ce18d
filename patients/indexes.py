"""Keyed digests by which near-unique values are found: contacts, member ids, name with birthday.

Decides in which form a value is digested. While the key changes, a value has two digests, and is
found by either; what is written has the new one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from django.conf import settings

from patients.crypto import blind_index
from patients.search_terms import fold

# Which columns each index digests; it is written again when one of them is assigned.
SOURCES: Mapping[str, tuple[str, ...]] = {
    "phone_index": ("phone",),
    "email_index": ("email",),
    "insurance_member_index": ("insurance_member_id",),
    "identity_index": ("given_name", "family_name", "dob"),
}


def contact_index(column: str, value: str) -> bytes:
    """Return the blind index of a normalised value, such as a phone number or e-mail address."""
    return blind_index(key=settings.BLIND_INDEX_KEY, column=f"patients.{column}", value=value)


def contact_indexes(column: str, value: str) -> list[bytes]:
    """Return the digests under which a value may be found: one, or two while the key changes.

    None for an empty value, which is found nowhere.
    """
    keys = filter(None, (settings.BLIND_INDEX_KEY, settings.BLIND_INDEX_KEY_OLD))
    found = (blind_index(key=key, column=f"patients.{column}", value=value) for key in keys)
    return [digest for digest in found if digest]


def index_of(name: str, values: Sequence[str | date | None]) -> bytes:
    """Return what is written in an index column for the values of its sources, in their order."""
    return contact_index(name.removesuffix("_index"), normal(name, *values))


def normal(name: str, *values: str | date | None) -> str:
    """Return the text that is digested: contacts are normal already, the rest is made so here."""
    if name == "insurance_member_index":
        return member_id(str(values[0]))
    if name == "identity_index":
        given, family, dob = values
        return identity(str(given), str(family), dob if isinstance(dob, date) else None)
    return str(values[0])


def member_id(written: str) -> str:
    """Return an insurance number as it is compared: "xyz 123-45" → XYZ12345."""
    return "".join(filter(str.isalnum, written)).upper()


def identity(given_name: str, family_name: str, dob: date | None) -> str:
    """Return name and birthday as they are compared; empty unless both are known.

    The order of the names does not count, nor do accents, hyphens and capitals.
    """
    words = sorted(fold(f"{given_name} {family_name}"))
    return f"{dob.isoformat()} {' '.join(words)}" if dob and words else ""
