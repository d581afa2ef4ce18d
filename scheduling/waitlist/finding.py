"""What is free already for somebody who is about to wait, so that nobody waits for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from patients.models import Patient
from providers.models import Clinic
from scheduling.availability import FreeSlot, Query, search
from scheduling.models import Appointment
from scheduling.placing import Terms
from scheduling.waitlist.wanting import takes
from scheduling.waitlist.wishing import Wish

MOST = 3
AT_ONCE = 40
PAGES = 5
DAY = timedelta(days=1)


def found_now(
    wish: Wish, *, patient: Patient | None, clinic: Clinic, now: datetime, limit: int = MOST
) -> list[FreeSlot]:
    """Return the first public times, up to `limit`, at which this patient could have the visit.

    Times that meet the wish, as anybody may book them online, and during which the patient has no
    other visit. Somebody new to the clinic is not known as a patient.
    """
    query = _query(wish, clinic, now)
    busy = _own_times(patient, wish)
    found: list[FreeSlot] = []
    after = None
    for _page in range(PAGES):
        slots = search(
            query, terms=Terms(), now=now, limit=AT_ONCE, after=after, ignore=wish.replaces
        )
        found += [slot for slot in slots if _meets(slot, wish, busy, now)]
        if len(found) >= limit or len(slots) < AT_ONCE:
            break
        after = slots[-1].place
    return found[:limit]


def _query(wish: Wish, clinic: Clinic, now: datetime) -> Query:
    today = now.astimezone(clinic.zone).date()
    last = wish.latest or today + wish.appointment_type.horizon_days * DAY
    query = Query(
        visit_type=wish.appointment_type,
        first_day=max(wish.earliest, today),
        last_day=last,
        clinics=(clinic,),
        provider=wish.provider,
        specialty=None if wish.provider else wish.specialty,
        weekdays=frozenset(wish.weekdays),
        not_before=wish.after,
    )
    if wish.replaces is None:
        return query
    replaced = wish.replaces.scheduled_start.astimezone(clinic.zone).date()
    return replace(query, last_day=min(last, replaced))


def _own_times(patient: Patient | None, wish: Wish) -> list[tuple[datetime, datetime]]:
    """Return when the patient has other visits."""
    if patient is None:
        return []
    visits = Appointment.objects.live().filter(patient=patient)
    if wish.replaces is not None:
        visits = visits.exclude(pk=wish.replaces.pk)
    return list(visits.values_list("scheduled_start", "scheduled_end"))


def _meets(
    slot: FreeSlot, wish: Wish, busy: list[tuple[datetime, datetime]], now: datetime
) -> bool:
    if not takes(wish.wants, start=slot.start, end=slot.end, zone=slot.clinic.zone, now=now):
        return False
    return not any(start < slot.end and slot.start < end for start, end in busy)
