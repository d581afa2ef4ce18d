"""Books Riverside Clinic's present and coming days as anybody would: through the booking verbs."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from random import Random

from patients.models import Patient
from scheduling import booking
from scheduling.actors import Actor
from scheduling.availability import Query, search
from scheduling.models import Appointment, BookedVia, CancelReason, OverrideReason
from scheduling.policies import terms_for
from scheduling.seeding.diary import Diary, Planned
from scheduling.seeding.opening import Team
from scheduling.transitions import Act, Status

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def book(visit: Planned, team: Team, *, now: datetime) -> Appointment:
    """Book one planned visit some days before it, or before now, and let it come to its state."""
    before = min(visit.start, now) - visit.draw.uniform(1, 12) * DAY
    online = visit.draw.random() < 0.4 and visit.visit_type.bookable_online
    by = Actor.patient() if online else Actor.staff(team.desk.pk)
    booked = booking.book(
        patient=visit.patient,
        provider=visit.provider,
        clinic=team.clinic,
        visit_type=visit.visit_type,
        start=visit.start,
        reason=visit.reason,
        via=BookedVia.PORTAL if online else BookedVia.DESK,
        by=by,
        now=before,
    )
    if not visit.is_kept and visit.draw.random() < 0.05:
        return booking.cancel(
            appointment=booked,
            reason=CancelReason.PATIENT_REQUEST.value,
            override=OverrideReason.PATIENT_CALLED.value,
            by=Actor.staff(team.desk.pk),
            now=min(visit.start, now) - visit.draw.uniform(0.2, 0.9) * DAY,
        )
    return live_through(booked, team, draw=visit.draw, is_kept=visit.is_kept, now=now)


def live_through(
    visit: Appointment, team: Team, *, draw: Random, is_kept: bool, now: datetime
) -> Appointment:
    """Do to a visit what would have been done to it by now; one of a full day is confirmed."""
    desk, start = Actor.staff(team.desk.pk), visit.scheduled_start
    if visit.status == Status.SCHEDULED and (draw.random() < 0.6 or is_kept):
        confirmed_at = min(now, start) - draw.uniform(0.1, 0.9) * DAY
        visit = booking.confirm(appointment=visit, by=Actor.patient(), now=confirmed_at)
    if visit.scheduled_end <= now and draw.random() < 0.1:
        return booking.mark_no_show(appointment=visit, by=desk, now=start + 20 * MINUTE)
    early = draw.randrange(1, 16) * MINUTE
    if start - early <= now:
        visit = booking.check_in(appointment=visit, by=desk, now=start - early)
    if start <= now - 4 * MINUTE:
        visit = booking.transition(appointment=visit, act=Act.ROOM, by=desk, now=start)
    if visit.scheduled_end <= now - 2 * MINUTE:
        return complete(visit, team)
    return visit


def complete(visit: Appointment, team: Team) -> Appointment:
    by = Actor.provider(visit.provider.user_id or team.desk.pk)
    return booking.complete(appointment=visit, by=by, now=visit.scheduled_end)


def settle(team: Team, *, before: datetime) -> int:
    """Close the visits of days gone by that nobody closed; return how many there were."""
    left = Appointment.objects.filter(
        clinic=team.clinic,
        scheduled_end__lt=before,
        status__in=[Status.SCHEDULED, Status.CONFIRMED],
    ).select_related("provider", "clinic")
    for visit in left:
        complete(visit, team)
    return len(left)


def add_exceptions(team: Team, diary: Diary, *, today: date, now: datetime) -> None:
    """Add what a plain day lacks: somebody squeezed in, and a series of weekly visits."""
    midnight = datetime.combine(today, time.min, team.clinic.zone)
    here = Appointment.objects.live().filter(clinic=team.clinic).starting(midnight, midnight + DAY)
    beside = here.exclude(appointment_type__code="NEW_PATIENT").last()
    busy = set(here.values_list("patient", flat=True))
    idle = [p for p in diary.pools["Family medicine"] if p.pk not in busy]
    if beside is not None:
        squeeze_in(team, idle[0], beside, now=now)
    book_series(team, idle[1], first_day=today + 2 * DAY, now=now)


def squeeze_in(team: Team, patient: Patient, beside: Appointment, *, now: datetime) -> None:
    booking.book(
        patient=patient,
        provider=beside.provider,
        clinic=team.clinic,
        visit_type=team.types["URGENT_CARE"],
        start=beside.scheduled_start,
        reason="Sore throat",
        overbook=True,
        override=OverrideReason.URGENT.value,
        by=Actor.staff(team.desk.pk),
        now=min(beside.scheduled_start, now) - 60 * MINUTE,
    )


def book_series(team: Team, patient: Patient, *, first_day: date, now: datetime) -> None:
    """Book four weekly video visits at the first time that both have free in all four weeks."""
    provider = next((p for p, c in team.providers if c.specialty == "Psychiatry"), None)
    if provider is None:
        return
    by, kind = Actor.staff(team.desk.pk), team.types["TELEHEALTH"]
    query = Query(
        visit_type=kind,
        first_day=first_day,
        last_day=first_day + 28 * DAY,
        clinics=(team.clinic,),
        provider=provider,
    )
    own = list(Appointment.objects.live().filter(patient=patient))
    free = {
        slot.local_start
        for slot in search(query, terms=terms_for(by), now=now, limit=1_000)
        if not any(v.scheduled_start < slot.end and slot.start < v.scheduled_end for v in own)
    }
    weekly = ([first + n * 7 * DAY for n in range(4)] for first in sorted(free))
    starts = next((starts for starts in weekly if free.issuperset(starts)), None)
    if starts is not None:
        booking.book_series(
            patient=patient,
            provider=provider,
            clinic=team.clinic,
            visit_type=kind,
            starts=starts,
            reason="Follow-up",
            by=by,
            now=now - DAY,
        )
