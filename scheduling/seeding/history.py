"""Writes what happened at Riverside Clinic before today: visits that took place, or did not.

In bulk, as nothing of it can conflict; the database's own rules are asked all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from psycopg.types.range import Range

from patients.relationships import relate
from providers.calendars import bump
from scheduling.actors import Actor, ActorKind
from scheduling.models import Appointment, AppointmentEvent, BookedVia, CancelReason, VisitNote
from scheduling.seeding.diary import Planned
from scheduling.transitions import Act, Status

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
NOTES = [
    "Doing well. Continue as before, next visit in three months.",
    "Discussed results. Values within range.",
    "Symptoms better since last visit. Dose unchanged.",
    "Referred for imaging; will call with the result.",
]


@transaction.atomic
def write_history(visits: Iterable[Planned], *, desk: User) -> int:
    """Write ended visits with their events and notes; return how many there are."""
    appointments, events, notes = [], [], []
    for visit in visits:
        appointment = _appointment(visit)
        story = _story(visit, appointment, desk)
        appointment.version = len(story) - 1
        appointments.append(appointment)
        events += story
        author = visit.provider.user_id
        if author and appointment.status == Status.COMPLETED and visit.draw.random() < 0.5:
            text = visit.draw.choice(NOTES)
            notes.append(VisitNote(appointment=appointment, text=text, author_id=author))
    Appointment.objects.bulk_create(appointments, batch_size=1_000)
    AppointmentEvent.objects.bulk_create(events, batch_size=2_000)
    VisitNote.objects.bulk_create(notes, batch_size=1_000)
    bump({appointment.provider_id for appointment in appointments})
    _relate(appointments)
    return len(appointments)


def _appointment(visit: Planned) -> Appointment:
    """Return the visit as it ended: four of five were kept."""
    status = visit.draw.choices([Status.COMPLETED, Status.NO_SHOW, Status.CANCELLED], [82, 7, 11])[
        0
    ]
    came = status is Status.COMPLETED
    return Appointment(
        patient=visit.patient,
        provider=visit.provider,
        clinic=visit.provider.clinic,
        appointment_type=visit.visit_type,
        scheduled_start=visit.start,
        scheduled_end=visit.end,
        busy=Range(visit.busy.start, visit.busy.end),
        status=status,
        arrived_at=visit.start - visit.draw.randrange(2, 14) * MINUTE if came else None,
        roomed_at=visit.start + visit.draw.randrange(0, 9) * MINUTE if came else None,
        reason_for_visit=visit.reason,
        booked_via=visit.draw.choices([BookedVia.DESK, BookedVia.PORTAL], [2, 1])[0],
        created_at=visit.start - visit.draw.uniform(2, 25) * DAY,
    )


def _story(visit: Planned, appointment: Appointment, desk: User) -> list[AppointmentEvent]:
    """Return the events that led to the status, oldest first."""
    staff, patient = Actor.staff(desk.pk), Actor.patient()
    provider = Actor.provider(visit.provider.user_id or desk.pk)
    booker = patient if appointment.booked_via == BookedVia.PORTAL else staff
    start = visit.start
    acts: list[tuple[str, Actor, timedelta]] = [("BOOK", booker, start - appointment.created_at)]
    if visit.draw.random() < 0.7 and appointment.status != Status.CANCELLED:
        acts.append((Act.CONFIRM, patient, 1.5 * DAY))
    if appointment.arrived_at is not None:
        acts.append((Act.CHECK_IN, staff, start - appointment.arrived_at))
    ending = {
        Status.COMPLETED: (Act.COMPLETE, provider, start - visit.end - 2 * MINUTE),
        Status.NO_SHOW: (Act.MARK_NO_SHOW, staff, -25 * MINUTE),
        Status.CANCELLED: (Act.CANCEL, patient, visit.draw.uniform(0.3, 1.4) * DAY),
    }
    acts.append(ending[Status(appointment.status)])
    return list(_events(appointment, acts))


def _events(
    appointment: Appointment, acts: list[tuple[str, Actor, timedelta]]
) -> Iterable[AppointmentEvent]:
    was = ""
    targets = {"BOOK": Status.SCHEDULED, Act.CONFIRM: Status.CONFIRMED}
    for kind, by, before in acts:
        final = kind in {Act.COMPLETE, Act.CANCEL, Act.MARK_NO_SHOW}
        status = appointment.status if final else targets.get(kind, was)
        reason = {"reason": CancelReason.PATIENT_REQUEST.value} if kind == Act.CANCEL else {}
        yield AppointmentEvent(
            appointment=appointment,
            kind=kind,
            from_status=was,
            to_status=status,
            by_kind=by.kind.value,
            by_user_id=by.user_id if by.kind is not ActorKind.PATIENT else None,
            at=appointment.scheduled_start - before,
            details=reason,
        )
        was = status


def _relate(appointments: list[Appointment]) -> None:
    """Make each pair's first visit the start of their relationship, and its last one the end."""
    pairs: dict[tuple[object, object], list[Appointment]] = {}
    for row in appointments:
        pairs.setdefault((row.patient_id, row.provider_id), []).append(row)
    for rows in pairs.values():
        first = min(row.created_at for row in rows)
        last = max(rows, key=lambda row: row.scheduled_end)
        relate([last], since=first)
