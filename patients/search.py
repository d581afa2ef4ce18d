"""Finds patients by what was typed: the one place that compares names, birthdays and phones.

No query can look inside sealed columns, so the records are read and compared here. Who is asking
is not known here: the caller hands over the clinics whose patients they may see.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from heapq import nsmallest

from django.core.exceptions import ValidationError

from patients.closeness import Person, closeness
from patients.contacts import parse_phone
from patients.models import Patient
from patients.search_terms import Reading, fold, is_enough, parse
from providers.models import Clinic

MOST = 20
WHOLE_NUMBER = 10
SHOWN = ("clinic_id", "given_name", "family_name", "name_suffix", "dob", "phone")

Rank = tuple[int, int, tuple[str, ...], tuple[str, ...], str]


@dataclass(frozen=True, slots=True)
class Matches:
    """The closest patients, best first; their other columns are read only when asked for."""

    patients: Sequence[Patient] = ()
    is_too_short: bool = False
    has_more: bool = False


def find(*, clinics: Iterable[Clinic], text: str, today: date, limit: int = MOST) -> Matches:
    """Return the patients of some clinics whom a text may mean, at most `limit` of them.

    Three letters or digits are asked for. Exact beats a beginning, a beginning a part; then by
    name. Records merged into others are left out.
    """
    if not is_enough(text):
        return Matches(is_too_short=True)
    readings = [_as_kept(reading) for reading in parse(text, today=today)]
    ranked = list(_ranked(_candidates(clinics, readings), readings))
    best = nsmallest(limit, ranked, key=lambda pair: pair[0])
    return Matches([patient for _rank, patient in best], has_more=len(ranked) > limit)


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


def _candidates(clinics: Iterable[Clinic], readings: Sequence[Reading]) -> Iterator[Patient]:
    """Yield those with the phone number that was typed whole, or else everybody on file."""
    on_file = Patient.objects.filter(clinic__in=list(clinics), merged_into=None)
    if len(readings) == 1 and len(readings[0].digits) > WHOLE_NUMBER:
        on_file = on_file.reached_at(phone=f"+{readings[0].digits}")
    return on_file.only(*SHOWN).order_by("pk").iterator()


def _ranked(
    candidates: Iterable[Patient], readings: Sequence[Reading]
) -> Iterator[tuple[Rank, Patient]]:
    for patient in candidates:
        person = _person(patient)
        grades = [grade for r in readings if (grade := closeness(r, person)) is not None]
        if grades:
            yield (*min(grades), person.family, person.given, str(patient.pk)), patient


def _person(patient: Patient) -> Person:
    return Person(
        given=fold(patient.given_name),
        family=fold(patient.family_name),
        born=patient.dob,
        phone=patient.phone.lstrip("+"),
    )
