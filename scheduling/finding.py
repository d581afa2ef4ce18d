"""Patients as the desk finds them, with the visit they had last and the one that comes next.

Decides in which clinics is looked and that a reference counts too, not how a row is worded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import QuerySet

from patients.models import Patient
from patients.models.audit import Act
from patients.privacy import audit
from patients.search import MOST, find
from providers.models import Clinic
from scheduling.models import Appointment
from scheduling.references import as_kept, is_reference
from scheduling.transitions import Status

NOT_SEEN = (Status.CANCELLED.value, Status.NO_SHOW.value)


@dataclass(frozen=True, slots=True)
class Found:
    """A patient with the time of a visit before now and of one after it, where there is one."""

    patient: Patient
    next_visit: Appointment | None = None
    last_visit: Appointment | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the finder has to say. `has_more`: others match as well and are not shown."""

    found: Sequence[Found] = ()
    is_too_short: bool = False
    has_more: bool = False


def find_patients(
    text: str, *, clinics: Sequence[Clinic], user: User, now: datetime, limit: int = MOST
) -> Answer:
    """Return the patients whom a text may mean: by name, birthday, phone or a visit's reference.

    `clinics` are those whose patients the user may see. A constant number of queries. The record
    of who looked says that it was a search.
    """
    audit.mark(action=Act.SEARCH)
    today = now.astimezone(clinics[0].zone).date()
    matches = find(clinics=clinics, text=text, today=today, limit=limit)
    by_reference = _with_reference(text, user, clinics)
    others = [p for p in matches.patients if p.pk not in {known.pk for known in by_reference}]
    patients = [*by_reference, *others][:limit]
    found = with_visits(patients, user=user, now=now)
    return Answer(found, is_too_short=matches.is_too_short, has_more=matches.has_more)


def _with_reference(text: str, user: User, clinics: Sequence[Clinic]) -> list[Patient]:
    reference = as_kept(text)
    if not is_reference(reference):
        return []
    visible = Patient.objects.visible_to(user).filter(merged_into=None, clinic__in=clinics)
    return list(visible.filter(appointments__reference=reference))


def with_visits(patients: Sequence[Patient], *, user: User, now: datetime) -> list[Found]:
    """Return these patients, in their order, with their next and last visit, in two queries."""
    found = {patient.pk: Found(patient) for patient in patients}
    visits = _visits(found, user)
    to_come = visits.filter(scheduled_start__gt=now).order_by("patient", "scheduled_start")
    been = visits.filter(scheduled_start__lte=now).order_by("patient", "-scheduled_start")
    for visit in to_come.distinct("patient"):
        found[visit.patient_id] = replace(found[visit.patient_id], next_visit=visit)
    for visit in been.distinct("patient"):
        found[visit.patient_id] = replace(found[visit.patient_id], last_visit=visit)
    return list(found.values())


def _visits(patients: Iterable[UUID], user: User) -> QuerySet[Appointment]:
    return (
        Appointment.objects.visible_to(user)
        .filter(patient__in=list(patients))
        .exclude(status__in=NOT_SEEN)
        .select_related("clinic")
        .only("patient_id", "scheduled_start", "status", "clinic__time_zone_id", "clinic__name")
    )
