"""What an invented clinic's messages came to: for demonstrations, so that nothing of it was sent.

Everything that was due by now counts as sent, so that a demo begins without a flood of messages.
Draws from dates and names alone; written once, whatever is asked again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from patients.models import Patient
from providers.models import Clinic, VisitType
from reminders.kinds import CallReason, Channel, Kind, Meaning, Standing, State, Why
from reminders.models import (
    CallItem,
    Delivery,
    InboundText,
    Notice,
    Reminder,
    ReminderPolicy,
)
from scheduling.models import Appointment
from scheduling.transitions import Status

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
HISTORY = 100 * DAY
ENDED = (Status.COMPLETED.value, Status.NO_SHOW.value)
VENDOR = "console"
QUESTION = "Can I bring my daughter along? She has no school that day."
# How often a message arrived, and how often the service never said whether it did.
ARRIVES = {Status.COMPLETED.value: 0.9, Status.NO_SHOW.value: 0.6}


@transaction.atomic
def seed(clinic: Clinic, *, now: datetime) -> None:
    """Let the clinic have a cadence, a history of messages, two calls to make, a text to answer."""
    _allow_release(clinic)
    _remind_of_what_was(clinic, now)
    _settle(Reminder.objects.filter(appointment__clinic=clinic), now)
    _settle(Notice.objects.filter(clinic=clinic), now)
    if not CallItem.objects.filter(clinic=clinic).exists():
        _leave_work(clinic, now)


def _allow_release(clinic: Clinic) -> None:
    """Free the time of new patients who stay silent: theirs are the longest visits."""
    longest = VisitType.objects.filter(auto_release_allowed=True).order_by("code").first()
    if longest is not None:
        ReminderPolicy.objects.get_or_create(clinic=clinic, visit_type=longest)


def _remind_of_what_was(clinic: Clinic, now: datetime) -> None:
    """Write the day-ahead reminders of visits that are over and have none."""
    visits = Appointment.objects.filter(clinic=clinic, status__in=ENDED, reminders=None)
    visits = visits.starting(now - HISTORY, now).select_related("patient", "provider")
    rows = [
        Reminder(
            appointment=visit,
            sequence=visit.sequence,
            kind=Kind.REMINDER.value,
            channel=channel.value,
            due_at=visit.scheduled_start - DAY,
            not_after=visit.scheduled_start - DAY / 12,
            created_at=visit.created_at,
        )
        for visit in visits
        for channel in (Channel.EMAIL, Channel.SMS)
        if visit.created_at < visit.scheduled_start - DAY
    ]
    _hand_on(rows)
    Reminder.objects.bulk_create(rows, batch_size=1_000)


def _settle(rows: QuerySet[Any], now: datetime) -> None:
    """Let what was planned and due by now have been sent."""
    due = list(
        rows.filter(standing=Standing.PLANNED.value, due_at__lte=now)
        .select_related("appointment__patient", "appointment__provider")
        .order_by("due_at", "pk")
    )
    _hand_on(due)
    columns = ["standing", "why", "delivery", "sent_at"]
    rows.model._default_manager.bulk_update(due, columns, batch_size=500)


def _hand_on(rows: Sequence[Reminder | Notice]) -> None:
    """Put each message into a delivery of its own, where there is a way for it."""
    sent = [row for row in rows if _can_reach(row)]
    deliveries = [_delivery(row) for row in sent]
    Delivery.objects.bulk_create(deliveries, batch_size=1_000)
    for row, delivery in zip(sent, deliveries, strict=True):
        row.standing, row.delivery, row.sent_at = Standing.TAKEN.value, delivery, row.due_at


def _can_reach(row: Reminder | Notice) -> bool:
    """Say whether there is a way to the patient, and note on the row why not."""
    if row.appointment is None or row.channel == Channel.PUSH:
        missing = Why.NO_DEVICE
    elif row.channel == Channel.SMS and not row.appointment.patient.phone_is_textable:
        missing = Why.NOT_TEXTABLE
    else:
        missing = _unwanted(row)
    if missing is Why.NONE:
        return True
    row.standing, row.why = Standing.SKIPPED.value, missing.value
    return False


def _unwanted(row: Reminder | Notice) -> Why:
    """Say why a text is left out: now and then one is too many, or not wanted."""
    if row.appointment is None or row.channel != Channel.SMS:
        return Why.NONE
    luck = Random(f"text {row.appointment.scheduled_start}").random()  # noqa: S311 - no secret
    if luck < 0.03:
        return Why.OPTED_OUT
    return Why.CAP if luck < 0.05 else Why.NONE


def _delivery(row: Reminder | Notice) -> Delivery:
    visit = row.appointment
    if visit is None:
        raise ValueError("only messages about visits are invented")
    draw = Random(f"{visit.scheduled_start} {visit.provider.name}")  # noqa: S311 - no secret
    state = _state(visit, draw)
    sent_at = row.due_at + MINUTE * draw.random()
    arrived = state is State.DELIVERED
    return Delivery(
        clinic_id=visit.clinic_id,
        patient_id=visit.patient_id,
        channel=row.channel,
        kinds=[row.kind],
        is_automated=isinstance(row, Reminder),
        state=state.value,
        why=Why.UNDELIVERED.value if state is State.FAILED else "",
        vendor=VENDOR,
        attempts=1,
        fence=1,
        not_before=row.due_at,
        not_after=row.not_after,
        sending_at=sent_at,
        sent_at=sent_at,
        delivered_at=sent_at + MINUTE if arrived else None,
        created_at=row.due_at,
    )


def _state(visit: Appointment, draw: Random) -> State:
    luck = draw.random()
    arrives = ARRIVES.get(visit.status, 0.9)
    if luck < arrives:
        return State.DELIVERED
    return State.FAILED if luck < arrives + (1 - arrives) / 2 else State.SENT


def _leave_work(clinic: Clinic, now: datetime) -> None:
    """Leave two calls to make about visits that nobody confirmed, and a question by text."""
    silent = Appointment.objects.filter(clinic=clinic, status=Status.SCHEDULED.value)
    silent = silent.starting(now + DAY / 2, now + 3 * DAY).select_related("patient")
    one_each: dict[Patient, Appointment] = {visit.patient: visit for visit in silent[:12]}
    visits = list(one_each.values())
    reasons = (CallReason.UNCONFIRMED, CallReason.UNDELIVERABLE)
    for visit, reason in zip(visits, reasons, strict=False):
        opened_at = now - MINUTE * 50
        CallItem.objects.create(
            clinic=clinic, appointment=visit, reason=reason.value, opened_at=opened_at
        )
    for visit in visits[len(reasons) : len(reasons) + 1]:
        InboundText.objects.create(
            vendor=VENDOR,
            vendor_id=f"demo-{visit.pk}",
            clinic=clinic,
            patient=visit.patient,
            appointment=visit,
            sender=visit.patient.phone,
            body=QUESTION,
            meaning=Meaning.OTHER.value,
            needs_staff=True,
            received_at=now - MINUTE * 20,
        )
