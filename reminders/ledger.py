"""Corrects the ledger afterwards: by what vendors report, and by what became of workers that died.

A report never leads backwards, so that it may come twice, late or out of order. A delivery that was
claimed and not begun is queued again; one that was begun is UNKNOWN, and `looking` asks after it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet

from patients.looks import note_patients
from providers.fields import ClockTimestamp
from reminders import looking
from reminders.claims import LONGEST_CODE, LONGEST_ID
from reminders.kinds import CallReason, Channel, Standing, State, Why
from reminders.models import CallItem, Delivery, Notice, Reminder
from reminders.offers import note_sent
from reminders.otherwise import after_failure
from reminders.outcomes import FIRST_LOOK

# Which states a report may lead away from. What waits to be tried again was perhaps taken before.
WAITING = {State.QUEUED, State.CLAIMED}
LEAD_ON = {
    State.SENT: {*WAITING, State.SENDING, State.UNKNOWN},
    State.DELIVERED: {*WAITING, State.SENDING, State.UNKNOWN, State.SENT},
    State.FAILED: {State.SENDING, State.UNKNOWN, State.SENT},
}


@transaction.atomic
def report(
    *,
    vendor: str,
    vendor_id: str = "",
    marker: str = "",
    state: State,
    status: str = "",
    error_code: str = "",
    at: datetime,
) -> Delivery | None:
    """Take what a vendor says of a message: SENT, DELIVERED or FAILED, `at` that instant.

    `vendor_id` is the vendor's name for it, `marker` our delivery's id. Returns the delivery,
    changed or not; None where there is no such message, or where it is about an earlier attempt.
    """
    delivery = _find(vendor, vendor_id, marker)
    if delivery is None:
        return None
    if delivery.patient_id is not None:
        note_patients([delivery.patient_id])
    delivery.vendor_id = delivery.vendor_id or vendor_id[:LONGEST_ID]
    if delivery.state in LEAD_ON[state] and (delivery.attempts or state not in WAITING):
        _lead_on(delivery, state, at=at)
        delivery.vendor_status = status[:LONGEST_CODE]
        delivery.error_code = error_code[:LONGEST_CODE]
    delivery.save(
        update_fields=[
            "vendor_id",
            "state",
            "why",
            "vendor_status",
            "error_code",
            "sent_at",
            "delivered_at",
        ]
    )
    return delivery


def sweep(*, now: datetime) -> dict[str, int]:
    """Free claims whose worker died, and settle what nobody knows of; return how many of each.

    Whatever was begun and not reported is resolved, or raised with staff, in a quarter of an hour.
    """
    over = Delivery.objects.filter(lease_until__lte=ClockTimestamp())
    freed = over.filter(state=State.CLAIMED.value).update(state=State.QUEUED.value)
    unknown = over.filter(state=State.SENDING.value).update(
        state=State.UNKNOWN.value, not_before=F("sending_at") + FIRST_LOOK
    )
    return {"freed": freed, "unknown": unknown, **looking.settle(now=now)}


def _find(vendor: str, vendor_id: str, marker: str) -> Delivery | None:
    """Lock and return the message that a vendor names, by its own id or by ours."""
    rows = Delivery.objects.select_for_update(of=("self",))
    if vendor_id:
        found = rows.filter(vendor=vendor, vendor_id=vendor_id[:LONGEST_ID]).first()
        if found is not None:
            return found
    try:
        pk = UUID(marker)
    except ValueError:
        return None
    found = rows.filter(pk=pk, vendor=vendor).first()
    is_other = found is not None and found.vendor_id and vendor_id
    return None if is_other else found


def _lead_on(delivery: Delivery, state: State, *, at: datetime) -> None:
    was_raised = delivery.raised_at is not None
    delivery.state = state.value
    if state == State.FAILED:
        is_mail = delivery.channel == Channel.EMAIL
        delivery.why = (Why.BOUNCED if is_mail else Why.UNDELIVERED).value
        for rows in _rows(delivery):
            after_failure(list(rows), now=at)
        return
    delivery.sent_at = delivery.sent_at or at
    if state == State.DELIVERED:
        delivery.delivered_at = at
    for rows in _rows(delivery):
        rows.filter(sent_at=None).update(sent_at=delivery.sent_at)
        note_sent(rows, at=delivery.sent_at)
    if was_raised:
        _settle_calls(delivery, now=at)


def _rows(delivery: Delivery) -> list[QuerySet[Any]]:
    """Return what a delivery carries, out of either table."""
    taken = {"delivery": delivery, "standing": Standing.TAKEN.value}
    return [
        rows.filter(**taken).select_related("appointment")
        for rows in (Reminder.objects.all(), Notice.objects.all())
    ]


def _settle_calls(delivery: Delivery, *, now: datetime) -> None:
    """Nobody need call any more to ask whether a message arrived."""
    visits = [row.appointment_id for rows in _rows(delivery) for row in rows]
    CallItem.objects.filter(
        appointment__in=visits, reason=CallReason.UNSURE.value, closed_at=None
    ).update(closed_at=now, result=CallItem.Result.SETTLED.value)
