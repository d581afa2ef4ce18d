"""Visits of which a text spoke, and what somebody texts back."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from patients.indexes import contact_index
from reminders import replies
from reminders.kinds import Channel, Kind, Standing, State
from reminders.models import Delivery, InboundText, Notice, Reminder
from scheduling.models import Appointment
from tests.factories import AppointmentFactory, PatientFactory

OURS, NUMBER, OTHER_NUMBER = "+12125550100", "+12125550134", "+12125550177"
HOUR = timedelta(hours=1)
_ids = count(1)


def visit_of(number: str = NUMBER, **more: Any) -> Appointment:
    """Book a visit for a new patient with this number, weeks from now."""
    if "patient" not in more and "provider" in more:
        more["patient"] = PatientFactory.create(clinic=more["provider"].clinic, phone=number)
    visit = AppointmentFactory.create(**more)
    if visit.patient.phone != number:
        visit.patient.phone = number
        visit.patient.save(update_fields=["phone"])
    return visit


def texted(
    visit: Appointment,
    kind: Kind = Kind.FOLLOW_UP,
    state: State = State.DELIVERED,
    *,
    to: str = NUMBER,
    channel: Channel = Channel.SMS,
) -> Delivery:
    """Write that a message about a visit, at the time it has now, went to a number."""
    now = timezone.now()
    sent = Delivery.objects.create(
        clinic=visit.clinic,
        patient=visit.patient,
        channel=channel.value,
        kinds=[kind.value],
        is_automated=True,
        state=state.value,
        vendor="twilio",
        vendor_id=f"SM{next(_ids):032x}",
        recipient_index=contact_index("phone", to),
        not_before=now,
        not_after=now + HOUR,
        lease_until=now + HOUR,
    )
    Reminder.objects.update_or_create(
        appointment=visit,
        sequence=visit.sequence,
        kind=kind.value,
        channel=channel.value,
        defaults={
            "due_at": now,
            "not_after": now + HOUR,
            "standing": Standing.TAKEN.value,
            "delivery": sent,
        },
    )
    return sent


def asked_visit(number: str = NUMBER, **more: Any) -> Appointment:
    """Return a visit of which a text to its patient's number has asked."""
    visit = visit_of(number, **more)
    texted(visit, to=number)
    return visit


def text(body: str, *, sender: str = NUMBER, sid: str = "", **more: Any) -> InboundText:
    """Take a text that has just come in."""
    return replies.take(
        vendor="twilio",
        vendor_id=sid or f"SM{next(_ids):032x}",
        sender=sender,
        to=OURS,
        body=body,
        now=more.pop("now", None) or timezone.now(),
        **more,
    )


def answers() -> list[tuple[str, Appointment | None]]:
    """Return what was said back so far, and about which visit."""
    rows = Notice.objects.filter(kind="REPLY").select_related("appointment").order_by("id")
    return [(row.details["text"], row.appointment) for row in rows]


def status(visit: Appointment) -> str:
    return Appointment.objects.get(pk=visit.pk).status


def later(visit: Appointment) -> datetime:
    return visit.scheduled_start + HOUR
