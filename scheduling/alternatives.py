"""What to offer in place of a time that cannot be had, and what kinds of visit a time allows."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q

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
    kinds = [
        k for k in VisitType.objects.all() if provider.offers_telehealth or not k.is_telehealth
    ]
    local = start.astimezone(clinic.zone)
    allowed = _allowed(provider, clinic, local)
    return [kind for kind in kinds if not allowed or kind.pk in allowed] or kinds


def _allowed(provider: Provider, clinic: Clinic, local: datetime) -> set[object]:
    """Return the types named by the hours around a wall-clock time; empty where all may be."""
    day: date = local.date()
    rows: Any = ProviderSchedule.objects.filter(
        provider=provider, clinic=clinic, is_active=True, day_of_week=day.weekday()
    ).annotate(named=ArrayAgg("visit_types", filter=Q(visit_types__isnull=False), default=[]))
    covering = [
        row
        for row in rows
        if row.is_valid_on(day)
        and row.start_time <= local.time()
        and (local.time() < row.end_time or row.end_time == row.end_time.min)
    ]
    named = [set(row.named) for row in covering]
    return set() if not all(named) else set().union(*named)


def usual_type(kinds: list[VisitType], *, patient: Patient, asked: VisitType | None) -> VisitType:
    """Return the type to propose: the one asked for, a first visit, or else a follow-up."""
    if asked in kinds:
        return asked
    code = "FOLLOW_UP" if patient.appointments.exists() else "NEW_PATIENT"
    return next((kind for kind in kinds if kind.code == code), kinds[0])
