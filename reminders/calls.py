"""The calls that a clinic's desk should make: one open for each visit and reason, until the visit
is settled in any way. Decides nothing about whether a call is needed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from reminders.kinds import CallReason
from reminders.models import CallAttempt, CallItem
from scheduling.actors import ActorKind
from scheduling.changes import Change
from scheduling.models import Appointment, AppointmentEvent
from scheduling.transitions import Act, Status

Result = CallItem.Result
Outcome = CallAttempt.Outcome
TO_COME = Q(status__in=[Status.SCHEDULED, Status.CONFIRMED])
# News of a cancellation that did not arrive is worth a call, unless the patient cancelled.
CANCELLED_FOR_THEM = Q(status=Status.CANCELLED) & ~Q(
    Exists(
        AppointmentEvent.objects.filter(
            appointment=OuterRef("pk"), kind=Act.CANCEL, by_kind=ActorKind.PATIENT.value
        )
    )
)
ABOUT_NEWS = {CallReason.UNDELIVERABLE, CallReason.UNSURE}
SETTLED_BY = {
    Act.CONFIRM.value: Result.CONFIRMED,
    Act.CANCEL.value: Result.CHANGED,
    "MOVE": Result.CHANGED,
    Act.CHECK_IN.value: Result.SETTLED,
    Act.COMPLETE.value: Result.SETTLED,
    Act.MARK_NO_SHOW.value: Result.SETTLED,
}


def open_call(*, appointment: Appointment, reason: CallReason, now: datetime) -> CallItem | None:
    """Put a visit on its clinic's call list, unless it is there for this reason already.

    Returns the open item; None for a visit that has begun or that needs no call any more.
    """
    worth = TO_COME | CANCELLED_FOR_THEM if reason in ABOUT_NEWS else TO_COME
    visits = Appointment.objects.filter(worth, pk=appointment.pk, scheduled_start__gt=now)
    visit = visits.only("clinic_id").first()
    if visit is None:
        return None
    item = CallItem(
        clinic_id=visit.clinic_id, appointment_id=visit.pk, reason=reason.value, opened_at=now
    )
    CallItem.objects.bulk_create([item], ignore_conflicts=True)
    return CallItem.objects.filter(
        appointment=visit, reason=reason.value, closed_at__isnull=True
    ).first()


def close_calls(*, appointment: Appointment, result: CallItem.Result, now: datetime) -> int:
    """Take a visit off the call list, for every reason; return how many items that closed."""
    waiting = CallItem.objects.filter(appointment=appointment, closed_at__isnull=True)
    return waiting.update(closed_at=now, result=result)


def log_attempt(
    *,
    pk: UUID,
    item: CallItem,
    outcome: CallAttempt.Outcome,
    note: str = "",
    by_user: int,
    now: datetime,
) -> CallAttempt:
    """Write down one call that was made, once for each `pk`.

    What came of the visit is the caller's to write.
    """
    told = {"item": item, "outcome": outcome, "note": note, "by_user_id": by_user, "at": now}
    attempt, _new = CallAttempt.objects.get_or_create(pk=pk, defaults=told)
    return attempt


def on_appointment_change(changes: Sequence[Change]) -> None:
    """Take visits off the list that were confirmed, moved or cancelled, or whose patient came."""
    for change in changes:
        result = SETTLED_BY.get(str(change.kind))
        if result is not None:
            close_calls(appointment=change.appointment, result=result, now=change.at)


def settle_over(*, now: datetime) -> int:
    """Close the calls about visits that have begun; return how many."""
    over = CallItem.objects.filter(closed_at__isnull=True, appointment__scheduled_start__lte=now)
    return over.update(closed_at=now, result=Result.SETTLED)
