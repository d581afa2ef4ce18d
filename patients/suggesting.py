"""Looks for records that may be a newly registered person's: the worker's job.

Done after the registration and elsewhere, so that whoever registers online learns nothing from it:
not from the answer, its time or the number of queries. Arguments are ids only, and a job that runs
twice finds the pairs that it made. Nothing is ever joined here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from uuid import UUID

from django.db import transaction
from django_q.tasks import async_task

from patients.duplicates import PURPOSE, SYSTEM, Alike, alike, facts_of, numbers_of
from patients.matching import compare
from patients.models import MatchCandidate, Patient
from patients.privacy import audit

TASK = "patients.suggesting.suggest"
AT_ONCE = 200


def suggest_later(ids: Iterable[UUID]) -> None:
    """Have new records compared with those on file, once the current transaction is over."""
    told = [str(pk) for pk in ids]
    for first in range(0, len(told), AT_ONCE):
        transaction.on_commit(partial(async_task, TASK, told[first : first + AT_ONCE]))


def suggest(ids: Sequence[str]) -> int:
    """Put pairs of records that may be one person's into the queue; return how many are new."""
    records = Patient.objects.filter(pk__in=ids, merged_into=None).select_related("clinic")
    return sum(_suggest(record) for record in records.order_by("pk"))


def _suggest(record: Patient) -> int:
    with audit.keeping_record(system=SYSTEM, purpose=PURPOSE, clinic=record.clinic):
        facts = facts_of(record, numbers_of(record))
    found = alike(clinic=record.clinic, facts=facts, besides=record.pk)
    return sum(pair_of(record, other)[1] for other in found)


def suggest_pair(record: Patient, other: Patient, *, number: tuple[str, str]) -> None:
    """Put two records to which another system gives one number into the queue, however they look.

    Records of two clinics, or one that was joined into another, make no pair.
    """
    if record.clinic_id == other.clinic_id and not (record.merged_into_id or other.merged_into_id):
        score = compare(*(facts_of(each, [number]) for each in (record, other)))
        pair_of(record, Alike(other, score))


def pair_of(record: Patient, other: Alike) -> tuple[MatchCandidate, bool]:
    """Return the pair of two records, and whether it is new. One that was decided stays so."""
    one, two = sorted((record.pk, other.patient.pk))
    return MatchCandidate.objects.get_or_create(
        one_id=one,
        other_id=two,
        defaults={
            "clinic_id": record.clinic_id,
            "chance": other.score.chance,
            "band": other.score.band,
            "reasons": [reason.code for reason in other.score.reasons],
        },
    )
