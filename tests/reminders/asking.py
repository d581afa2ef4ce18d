"""Visits that somebody was asked about: the ledger as it stands after the messages went."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from reminders.kinds import Channel, Kind, Standing, State
from reminders.models import Delivery, Reminder
from scheduling.models import Appointment

HOUR = timedelta(hours=1)
WAYS = {Kind.REQUEST: (Channel.EMAIL, 72 * HOUR), Kind.FOLLOW_UP: (Channel.SMS, 48 * HOUR)}


def asked(
    visit: Appointment,
    kind: Kind,
    state: State | None = State.DELIVERED,
    *,
    sent_at: datetime | None = None,
    **changes: Any,
) -> Reminder:
    """Write one question about a visit with what became of it; without a state it was skipped."""
    channel, before = WAYS[kind]
    at = sent_at or visit.scheduled_start - before
    until = visit.scheduled_start - 25 * HOUR
    sent = None if state is None else delivery(visit, kind, channel, state, at=at)
    values = {
        "due_at": at,
        "not_after": until,
        "standing": (Standing.SKIPPED if sent is None else Standing.TAKEN).value,
        "delivery": sent,
        "sent_at": at if sent else None,
    }
    row, _new = Reminder.objects.update_or_create(
        appointment=visit,
        sequence=visit.sequence,
        kind=kind.value,
        channel=channel.value,
        defaults=values | changes,
    )
    return row


def delivery(
    visit: Appointment, kind: str, channel: Channel, state: State, *, at: datetime, **more: Any
) -> Delivery:
    """Write a delivery about a visit in a state, sent at an instant."""
    values: dict[str, Any] = {
        "vendor": "twilio" if channel is Channel.SMS else "sendgrid",
        "not_before": at,
        "not_after": at + 12 * HOUR,
        "lease_until": at + HOUR,
        "sent_at": at if state in {State.SENT, State.DELIVERED} else None,
        "delivered_at": at if state is State.DELIVERED else None,
        "is_automated": True,
    }
    return Delivery.objects.create(
        clinic=visit.clinic,
        patient=visit.patient,
        channel=channel.value,
        kinds=[str(kind)],
        state=state.value,
        created_at=at,
        **values | more,
    )


def asked_twice(visit: Appointment) -> Appointment:
    """Have both questions about a visit delivered: all that a release needs, and its time."""
    asked(visit, Kind.REQUEST)
    asked(visit, Kind.FOLLOW_UP)
    return visit
