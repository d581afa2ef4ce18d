"""Finds patients by what was typed: a name, a birthday, a phone, in the index of each clinic.

No query can look inside sealed columns, so an index in memory is asked, and only the few who are
shown are then read as records. Who is asking is not known here: the caller hands over the clinics
whose patients they may see.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from heapq import nsmallest
from uuid import UUID

from django.core.exceptions import ValidationError

from patients.contacts import parse_phone
from patients.models import Patient
from patients.name_index import shelf
from patients.name_index.index import Ranked
from patients.search_terms import Reading, is_enough, parse
from providers.models import Clinic

MOST = 20
WHOLE_NUMBER = 10
SHOWN = (
    *("clinic_id", "merged_into_id"),
    *("given_name", "family_name", "name_suffix", "dob", "phone"),
)


@dataclass(frozen=True, slots=True)
class Matches:
    """The closest patients, best first; their other columns are read only when asked for."""

    patients: Sequence[Patient] = ()
    is_too_short: bool = False
    has_more: bool = False


def find(*, clinics: Iterable[Clinic], text: str, today: date, limit: int = MOST) -> Matches:
    """Return the patients of some clinics whom a text may mean, at most `limit` of them.

    Three letters or digits are asked for. Exact beats a beginning, a beginning a part; then by
    name. Records merged into others are left out. Two queries, one more for each further clinic.
    """
    if not is_enough(text):
        return Matches(is_too_short=True)
    readings = [_as_kept(reading) for reading in parse(text, today=today)]
    asked = list(clinics)
    best = nsmallest(limit + 1, _ranked(asked, readings, limit + 1))
    patients = _records(asked, [UUID(bytes=row.id) for _grade, row in best[:limit]])
    return Matches(patients, has_more=len(best) > limit)


def _as_kept(reading: Reading) -> Reading:
    """Write a whole phone number as it is kept, with its country: "(212) 555-0134"."""
    number = _whole_number(reading)
    return replace(reading, digits=number.lstrip("+")) if number else reading


def _whole_number(reading: Reading) -> str:
    if len(reading.digits) < WHOLE_NUMBER:
        return ""
    try:
        return parse_phone(reading.digits).number
    except ValidationError:
        return ""


def _ranked(clinics: Sequence[Clinic], readings: Sequence[Reading], most: int) -> Iterator[Ranked]:
    for clinic in clinics:
        with shelf.lent(clinic) as index:
            best = index.best(readings, most)
        yield from best


def _records(clinics: Sequence[Clinic], ids: Sequence[UUID]) -> list[Patient]:
    """Return the records of these ids in their order, those that may still be shown.

    Clinic and merging are compared here: named in the query, they lead PostgreSQL through the
    whole clinic wherever it has no statistics, as after a restore or an import.
    """
    here = {clinic.pk for clinic in clinics}
    read = Patient.objects.filter(pk__in=ids).only(*SHOWN)
    found = {one.pk: one for one in read if one.clinic_id in here and one.merged_into_id is None}
    return [found[pk] for pk in ids if pk in found]
