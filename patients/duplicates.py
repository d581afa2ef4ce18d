"""Who on file may be the person that somebody tells of: gathers a few records and weighs them.

Candidates come from the index of names in memory and from the blind indexes of contacts and
numbers; nobody else's record is read. Only records of one clinic, joined ones left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol
from uuid import UUID

from django.db.models import Q, QuerySet

from patients.indexes import contact_indexes, member_id
from patients.matching import Band, Facts, Score, compare
from patients.models import Patient, PatientIdentifier
from patients.name_index import candidates
from patients.privacy import audit
from providers.models import Clinic

MOST = 50
SYSTEM, PURPOSE = "system:matching", "finding_doubles"


@dataclass(frozen=True, slots=True)
class Alike:
    """A record that may be the same person's, and how likely that is."""

    patient: Patient
    score: Score


class Told(Protocol):
    """What a record says, or somebody who is being registered; contacts normalised."""

    @property
    def given_name(self) -> str: ...
    @property
    def family_name(self) -> str: ...
    @property
    def name_suffix(self) -> str: ...
    @property
    def dob(self) -> date | None: ...
    @property
    def sex(self) -> str: ...
    @property
    def phone(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def insurance_member_id(self) -> str: ...
    @property
    def address_line(self) -> str: ...
    @property
    def postal_code(self) -> str: ...


def facts_of(record: Told, numbers: Iterable[tuple[str, str]] = ()) -> Facts:
    """Return what is told of somebody as it is compared."""
    return Facts(
        given=record.given_name,
        family=record.family_name,
        suffix=record.name_suffix,
        dob=record.dob,
        sex=record.sex,
        phone=record.phone,
        email=record.email,
        member=record.insurance_member_id,
        street=record.address_line,
        postal_code=record.postal_code,
        numbers=frozenset(numbers),
    )


def alike(*, clinic: Clinic, facts: Facts, besides: UUID | None = None) -> list[Alike]:
    """Return the records that may be this person's, the likeliest first. No verdict.

    Reads at most a hundred records, in a constant number of queries. What is read to be compared
    stands in a record of its own; the records returned are sealed again, so that the reader's own
    names those that are shown.
    """
    known = Patient.objects.filter(clinic=clinic, merged_into=None)
    if besides is not None:
        known = known.exclude(pk=besides)
    with audit.keeping_record(system=SYSTEM, purpose=PURPOSE, clinic=clinic):
        ids = candidates(clinic, given=facts.given, family=facts.family, dob=facts.dob, most=MOST)
        scores = _scores(known.filter(pk__in={*ids, *_reached(known, facts)}), facts)
    likely = {pk: score for pk, score in scores.items() if score.band is not Band.NO}
    best = sorted(likely, key=lambda pk: (-likely[pk].chance, pk))
    records = known.select_related("clinic").in_bulk(best)
    return [Alike(records[pk], likely[pk]) for pk in best if pk in records]


def _scores(records: Iterable[Patient], facts: Facts) -> dict[UUID, Score]:
    read = list(records)
    numbers = _numbers(read)
    return {
        record.pk: compare(facts, facts_of(record, numbers.get(record.pk, ()))) for record in read
    }


def _reached(known: QuerySet[Patient], facts: Facts) -> list[UUID]:
    """Return the ids of those with one of the contacts or numbers; families are small."""
    query = Q(pk__in=[])
    for column, value in (
        ("phone", facts.phone),
        ("email", facts.email),
        ("insurance_member", member_id(facts.member)),
    ):
        query |= Q(**{f"{column}_index__in": contact_indexes(column, value)})
    for system, value in facts.numbers:
        query |= Q(identifiers__source_system=system, identifiers__value=value)
    return list(known.filter(query).order_by("pk").values_list("pk", flat=True)[:MOST])


def _numbers(records: Iterable[Patient]) -> dict[UUID, set[tuple[str, str]]]:
    found: dict[UUID, set[tuple[str, str]]] = {}
    rows = PatientIdentifier.objects.filter(patient__in=[record.pk for record in records])
    for patient, system, value in rows.values_list("patient_id", "source_system", "value"):
        found.setdefault(patient, set()).add((system, value))
    return found


def numbers_of(patient: Patient) -> set[tuple[str, str]]:
    """Return what other systems call a patient."""
    return _numbers([patient]).get(patient.pk, set())
