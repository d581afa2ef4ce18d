"""Who of a clinic may be somebody, by name and birthday: a short list to be looked at closely.

Gives no verdict, and knows neither contacts nor numbers; those are found by their digests.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import IntEnum
from uuid import UUID

from patients.closeness import Person
from patients.name_index import likeness
from patients.name_index.index import NameIndex
from patients.name_index.rows import Row, row
from patients.name_index.shelf import shelf
from providers.models import Clinic

MOST = 50
NOBODY = UUID(int=0)


class Birth(IntEnum):
    """How near two birthdays are; the lowest is the nearest."""

    SAME = 0
    SWAPPED = 1
    MISTYPED = 2
    UNKNOWN = 3


def candidates(
    clinic: Clinic, *, family: str, given: str, dob: date | None = None, most: int = MOST
) -> list[UUID]:
    """Return the ids of records that may be this person's, the likeliest first, at most `most`.

    The same birthday, or day and month swapped: with any name alike (equal, a beginning, one
    slip). A birthday with one slip, or none on one side: with given and family name alike, in
    either order. Without a birthday to go by: all names the same. Merged records are left out.
    """
    wanted = row(NOBODY, given=given, family=family, born=dob).person
    with shelf.lent(clinic) as index:
        found = sorted(_alike(wanted, index))
    return [UUID(bytes=found_row.id) for _nearness, _apart, found_row in found[:most]]


def _alike(wanted: Person, index: NameIndex) -> Iterator[tuple[Birth, int, Row]]:
    for nearness, found in _by_birthday(wanted, index):
        person = found.person
        is_near = nearness <= Birth.SWAPPED
        compare = likeness.shares_a_name if is_near else likeness.has_both_names
        if compare(wanted, person):
            yield nearness, -likeness.words_in_common(wanted, person), found


def _by_birthday(wanted: Person, index: NameIndex) -> Iterator[tuple[Birth, Row]]:
    """Yield everybody whose birthday may be the one that was told, once each."""
    if wanted.born is None:
        yield from ((Birth.UNKNOWN, found) for found in _namesakes(wanted, index))
        return
    turned = {likeness.swapped(wanted.born)} - {wanted.born, None}
    slips = likeness.mistyped(wanted.born) - turned
    for nearness, days in (
        (Birth.SAME, {wanted.born}),
        (Birth.SWAPPED, turned),
        (Birth.MISTYPED, slips),
        (Birth.UNKNOWN, {None}),
    ):
        yield from ((nearness, found) for found in index.born_on(days))


def _namesakes(wanted: Person, index: NameIndex) -> list[Row]:
    words = (*wanted.given, *wanted.family)
    return index.named(words) if words else []
