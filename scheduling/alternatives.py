"""What to offer in place of a time that cannot be had, and what kinds of visit a time allows."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from patients.models import Patient
from providers.models import Clinic, Provider, ProviderSchedule, VisitType
from scheduling.availability import FreeSlot, Query, nearest
from scheduling.intervals import Interval
from scheduling.models import Appointment
from scheduling.placing import Terms

LOOKED_AT = 12


def alternatives(
    *,
    provider: Provider,
    clinic: Clinic,
    visit_type: VisitType,
    start: datetime,
    patient: Patient,
    terms: Terms,
    now: datetime,
    limit: int = 3,
) -> list[FreeSlot]:
    """Return the free times nearest to `start` at which the patient is not elsewhere."""
    day = start.date()
    query = Query(visit_type, day, day, (clinic,), provider=provider)
    found = nearest(query, to=start, terms=terms, now=now, limit=LOOKED_AT)
    if not found:
        return []
    taken = _visits_of(patient, min(s.start for s in found), max(s.end for s in found))
    possible = [
        slot
        for slot in found
        if not any(busy.overlaps(Interval(slot.start, slot.end)) for busy in taken)
    ]
    return sorted(possible[:limit], key=lambda slot: slot.start)


def _visits_of(patient: Patient, begin: datetime, end: datetime) -> list[Interval]:
    rows = Appointment.objects.live().filter(
        patient=patient, scheduled_end__gt=begin, scheduled_start__lt=end
    )
    return [Interval(*row) for row in rows.values_list("scheduled_start", "scheduled_end")]


def offered_types(provider: Provider, clinic: Clinic, start: datetime) -> list[VisitType]:
    """Return the types that the provider's hours at this time are open to; all where unsure."""
    hours = _hours_at(provider, clinic, start.astimezone(clinic.zone))
    read: Any = VisitType.objects.annotate(
        is_narrowed=Exists(hours) & ~Exists(hours.filter(visit_types=None)),
        is_named=Exists(hours.filter(visit_types=OuterRef("pk"))),
    )
    kinds = [kind for kind in read if provider.offers_telehealth or not kind.is_telehealth]
    return [kind for kind in kinds if kind.is_named or not kind.is_narrowed] or kinds


def _hours_at(provider: Provider, clinic: Clinic, local: datetime) -> QuerySet[ProviderSchedule]:
    """Return the working hours around a wall-clock time."""
    day, clock = local.date(), local.time()
    return ProviderSchedule.objects.filter(
        Q(valid_until=None) | Q(valid_until__gte=day),
        Q(end_time__gt=clock) | Q(end_time=time.min),
        provider=provider,
        clinic=clinic,
        is_active=True,
        day_of_week=day.weekday(),
        valid_from__lte=day,
        start_time__lte=clock,
    )


def usual_type(kinds: list[VisitType], *, patient: Patient, asked: VisitType | None) -> VisitType:
    """Return the type to propose: the one asked for, a first visit, or else a follow-up."""
    if asked in kinds:
        return asked
    code = "FOLLOW_UP" if patient.appointments.exists() else "NEW_PATIENT"
    return next((kind for kind in kinds if kind.code == code), kinds[0])
