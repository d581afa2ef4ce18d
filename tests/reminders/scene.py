"""A clinic's messages minute by minute, with vendors that keep what they take in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail

from patients.models import Patient
from providers.models import Clinic, Provider
from reminders import dispatch, gathering, ledger
from reminders.channels import memory
from reminders.kinds import Kind
from reminders.models import Delivery, Notice, Reminder
from reminders.outcomes import Pauses
from scheduling.models import Appointment
from tests.factories import (
    AppointmentFactory,
    PatientFactory,
    ProviderFactory,
    VisitTypeFactory,
    at,
    next_monday,
)

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
DAY_OF_VISIT = next_monday(1) + 3 * DAY  # a Thursday; what is due before it is on weekdays
TEN = at(DAY_OF_VISIT, "10:00")


class Scene:
    """A provider who works from 8 to 17 in New York, and one patient who can be reached."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic
        self.provider: Provider = ProviderFactory.create(clinic=clinic, working=True)
        self.patient = self.person()
        self._seen = 0, 0

    def person(self, **more: Any) -> Patient:
        number = Patient.objects.count()
        values = {"phone": f"+1917{2_000_000 + number}", "phone_is_textable": True}
        return PatientFactory.create(clinic=self.clinic, **values | more)

    def visit(self, start: datetime = TEN, *, patient: Patient | None = None, **type_: Any) -> Any:
        """Book a visit, in time for its whole cadence; nothing is told of the booking."""
        visit: Appointment = AppointmentFactory.create(
            provider=self.provider,
            patient=patient or self.patient,
            visit_type=VisitTypeFactory.create(**type_),
            start=start,
        )
        return visit

    def minute(self, now: datetime) -> list[str]:
        """Do what the worker does in a minute; return what left: "REMINDER SMS to +1917…"."""
        ledger.sweep(now=now)
        gathering.gather(now=now)
        dispatch.dispatch(clock=lambda: now)
        return self.left()

    def left(self) -> list[str]:
        """Return what left since this was asked last."""
        mails, others = self._seen
        new = [f"EMAIL to {one.to[0]}" for one in mail.outbox[mails:]]
        new += [f"{one.channel} to {one.message.to}" for one in memory.outbox[others:]]
        self._seen = len(mail.outbox), len(memory.outbox)
        return sorted(new)


def plan_of(visit: Appointment) -> dict[str, str]:
    """Return how each reminder of a visit stands: {"REQUEST EMAIL": "SKIPPED CONFIRMED"}."""
    rows = Reminder.objects.filter(appointment=visit, sequence=visit.sequence)
    return {f"{row.kind} {row.channel}": f"{row.standing} {row.why}".strip() for row in rows}


def news_of(visit: Appointment) -> dict[str, str]:
    """Return how each notice of a visit stands."""
    rows = Notice.objects.filter(appointment=visit)
    return {f"{row.kind} {row.channel}": f"{row.standing} {row.why}".strip() for row in rows}


def states() -> list[str]:
    """Return what became of all deliveries, in order: ["SMS SENT"]."""
    rows = Delivery.objects.order_by("created_at", "pk")
    return [f"{row.channel} {row.state} {row.why}".strip() for row in rows]


def due(visit: Appointment, kind: Kind) -> datetime:
    """Return when the first reminder of a kind is due."""
    row = Reminder.objects.filter(appointment=visit, kind=kind).order_by("due_at").first()
    assert row is not None
    return row.due_at


@pytest.fixture
def scene(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """Nobody was turned away, and nothing is in the vendors' memory."""
    monkeypatch.setattr(dispatch, "pauses", Pauses())
    memory.outbox.clear()
    yield Scene(clinic)
    memory.outbox.clear()
