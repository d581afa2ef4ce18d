"""Many people at once, each with a visit of which something is due: real rows, loaded in bulk."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from patients.models import Patient
from providers.calendars import bump
from providers.models import Clinic, Provider, VisitType
from reminders.kinds import Channel, Kind
from reminders.models import Reminder
from scheduling.models import Appointment
from tests.factories import ClinicFactory, PatientFactory, ProviderFactory, VisitTypeFactory

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOON = 12
AT_ONCE = 1_000  # rows in a statement: PostgreSQL takes 65,535 values


def clinic_at_noon(now: datetime, **more: Any) -> Clinic:
    """Return a clinic where it is about noon: nobody there sleeps, and today is long yet."""
    ahead = (NOON - now.hour + 11) % 24 - 11  # hours ahead of UTC; Etc/ counts the other way
    return ClinicFactory.create(time_zone__name=f"Etc/GMT{-ahead:+d}", **more)


def person(clinic: Clinic, number: int, **more: Any) -> Patient:
    """Return a patient, not yet saved, whose number can be texted."""
    values = {
        "clinic": clinic,
        "phone": f"+1917{2_000_000 + number}",
        "email": f"person{number}@mail.example",
        "phone_is_textable": True,
    }
    return PatientFactory.build(**values | more)


def visit_of(
    patient: Patient, *, provider: Provider, kind: VisitType, start: datetime, **more: Any
) -> Appointment:
    """Return a visit of a minute, not yet saved."""
    end = start + MINUTE
    return Appointment(
        patient=patient,
        provider=provider,
        clinic=provider.clinic,
        appointment_type=kind,
        scheduled_start=start,
        scheduled_end=end,
        busy=(start, end),
        booked_via="DESK",
        **more,
    )


def due_of(visit: Appointment, kind: Kind, channel: Channel, *, due_at: datetime) -> Reminder:
    """Return what is due of a visit, not yet saved."""
    return Reminder(
        appointment=visit,
        sequence=visit.sequence,
        kind=kind.value,
        channel=channel.value,
        due_at=due_at,
        not_after=visit.scheduled_start - 2 * HOUR,
    )


@transaction.atomic
def crowd(
    size: int,
    *,
    now: datetime,
    kind: Kind = Kind.REMINDER,
    channel: Channel = Channel.SMS,
    **visit_type: Any,
) -> list[Reminder]:
    """Save so many people with a visit tomorrow, and a reminder of each that is due now."""
    clinic = clinic_at_noon(now)
    provider = ProviderFactory.create(clinic=clinic)
    chosen = VisitTypeFactory.create(**visit_type)
    people = [person(clinic, number) for number in range(size)]
    for one in people:
        one.index_assigned()
    Patient.objects.bulk_create(people, batch_size=AT_ONCE)
    start = now.replace(second=0, microsecond=0) + DAY
    visits = [
        visit_of(one, provider=provider, kind=chosen, start=start + n * MINUTE)
        for n, one in enumerate(people)
    ]
    Appointment.objects.bulk_create(visits, batch_size=AT_ONCE)
    bump([provider.pk])
    rows = [due_of(visit, kind, channel, due_at=now - MINUTE) for visit in visits]
    return Reminder.objects.bulk_create(rows, batch_size=AT_ONCE)
