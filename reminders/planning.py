"""What a change to a visit means for its messages, written in the change's own transaction.

Decides what is planned, told and dropped, in one statement for all visits of a change; a second one
only for patients who live by another clock than the clinic's, or sleep at other hours. Refuses to
judge whether a message may be sent: that is asked again when it is due.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone

from reminders import notices, writing
from reminders.due import AFTER_BOOKING, NIGHT, plan
from reminders.kinds import Kind, NoticeKind, Why
from reminders.models import Reminder
from reminders.policies import policy_of
from reminders.writing import Listener, Work
from scheduling.changes import Change
from scheduling.models import Appointment, CancelReason
from scheduling.policies import UNDO_WINDOW
from scheduling.transitions import Act, Status

# What is written down later than this after it happened was told then, or is nobody's news.
ENTERED_LATER = timedelta(minutes=15)
QUESTIONS = (Kind.REQUEST, Kind.FOLLOW_UP)
STANDS = (Status.SCHEDULED, Status.CONFIRMED)
# Notices that the visit stands, which a move makes stale.
OF_STANDING = (NoticeKind.BOOKED, NoticeKind.MOVED, NoticeKind.RESTORED)


def on_appointment_change(changes: Sequence[Change]) -> None:
    """Plan, tell and drop what these changes mean; of visits that have begun nothing is told."""
    work = Work()
    planned: list[tuple[Appointment, datetime]] = []
    for change in changes:
        rule = RULES.get(change.kind)
        earliest = rule(change, work) if rule else None
        if earliest is not None:
            planned.append((change.appointment, earliest))
    _write(work, planned, now=changes[0].at)


def plan_again(appointment: Appointment, *, now: datetime) -> None:
    """Plan a visit's coming messages anew by the policy and hours of today.

    What a delivery carries stays, and what is due by now; what is no longer wanted is skipped. A
    visit that is not to take place, or has begun, loses all that was planned.
    """
    work = Work()
    if appointment.status not in STANDS or appointment.arrived_at is not None:
        is_cancelled = appointment.status == Status.CANCELLED
        work.drop(appointment.pk, Why.CANCELLED if is_cancelled else Why.ARRIVED)
        _write(work, [], now=now)
        return
    work.drop(appointment.pk, Why.SWITCHED_OFF, due_after=now)
    _write(work, [(appointment, now)], now=now)


def _write(work: Work, planned: Sequence[tuple[Appointment, datetime]], *, now: datetime) -> None:
    """Write it as if all lived by the clinic's clock; then mend it for those who do not."""
    for visit, earliest in planned:
        work.reminders += _reminders(visit, earliest, Listener("", NIGHT))
    work.patients = [visit.patient_id for visit, _earliest in planned]
    if not work.is_empty:
        _mend(planned, writing.write(work, now=now).listeners, now=now)


def _mend(
    planned: Sequence[tuple[Appointment, datetime]],
    listeners: Mapping[UUID, Listener],
    *,
    now: datetime,
) -> None:
    work = Work()
    for visit, earliest in planned:
        listener = listeners[visit.patient_id]
        if listener.quiet != NIGHT or listener.zone not in {"", visit.zone.key}:
            work.reminders += _reminders(visit, earliest, listener)
            work.drop(visit.pk, Why.TOO_LATE, due_after=now)
    if not work.is_empty:
        writing.write(work, now=now)


def _reminders(visit: Appointment, earliest: datetime, listener: Listener) -> list[Reminder]:
    """Return the cadence of a visit from an instant on, not yet written."""
    kind = visit.appointment_type
    dues = plan(
        start=visit.scheduled_start,
        booked_at=earliest - AFTER_BOOKING,
        is_video=kind.is_telehealth,
        asks=kind.confirmation_required and visit.status == Status.SCHEDULED,
        cadence=policy_of(visit.clinic_id, visit.appointment_type_id).cadence,
        zone=ZoneInfo(listener.zone) if listener.zone else visit.zone,
        quiet=listener.quiet,
    )
    return [
        Reminder(
            appointment_id=visit.pk,
            sequence=visit.sequence,
            kind=due.kind,
            channel=due.channel,
            due_at=due.due_at,
            not_after=due.not_after,
        )
        for due in dues
    ]


def _tell(work: Work, kind: NoticeKind, change: Change) -> None:
    """Have it said, unless the visit has begun or the change was entered long after it was made."""
    if change.appointment.scheduled_start > change.at and not _is_entered_later(change):
        due_at = change.not_before or change.at
        visit, by = change.appointment, change.by
        work.notices.append(notices.of_visit(kind, visit, by=by, due_at=due_at))


def _is_entered_later(change: Change) -> bool:
    return timezone.now() - change.at > ENTERED_LATER


def _from(change: Change) -> datetime:
    """Return from when on a new time is spoken of: not at once, and never in the past."""
    return timezone.now() if _is_entered_later(change) else change.at + AFTER_BOOKING


def _booked(change: Change, work: Work) -> datetime:
    _tell(work, NoticeKind.BOOKED, change)
    return _from(change)


def _moved(change: Change, work: Work) -> datetime:
    work.drop(change.appointment.pk, Why.MOVED)
    work.recall(change.appointment.pk, Why.MOVED, kinds=OF_STANDING)
    if _is_elsewhere(change):
        _tell(work, NoticeKind.MOVED, change)
    return _from(change)


def _is_elsewhere(change: Change) -> bool:
    """Whether the patient has to come at another time or to somebody else: a visit that only lasts
    longer is none that they need to hear of."""
    was, visit = change.before, change.appointment
    now = (visit.scheduled_start, visit.provider_id, visit.clinic_id)
    return was is None or (was.start, was.provider_id, was.clinic_id) != now


def _confirmed(change: Change, work: Work) -> None:
    work.drop(change.appointment.pk, Why.CONFIRMED, kinds=QUESTIONS)


def _cancelled(change: Change, work: Work) -> None:
    is_released = change.reason == CancelReason.UNCONFIRMED
    work.drop(change.appointment.pk, Why.RELEASED if is_released else Why.CANCELLED)
    _tell(work, NoticeKind.RELEASED if is_released else NoticeKind.CANCELLED, change)


def _arrived(change: Change, work: Work) -> None:
    work.drop(change.appointment.pk, Why.ARRIVED)


def _undone(change: Change, work: Work) -> datetime | None:
    """What was due while the visit seemed cancelled is sent now, if it is not too late for it."""
    work.recall(change.appointment.pk, Why.UNDONE, kinds=[NoticeKind.CANCELLED])
    if change.appointment.arrived_at is not None:
        return None
    return max(change.at - UNDO_WINDOW, change.appointment.created_at + AFTER_BOOKING)


def _final(change: Change, work: Work) -> None:
    work.hurry(change.appointment.pk, kinds=[NoticeKind.CANCELLED], at=change.at)


def _restored(change: Change, work: Work) -> datetime:
    work.recall(change.appointment.pk, Why.UNDONE, kinds=[NoticeKind.RELEASED])
    _tell(work, NoticeKind.RESTORED, change)
    return _from(change)


# What a kind of change does to the work; those after which a visit is planned say from when on.
RULES: Mapping[str, Callable[[Change, Work], datetime | None]] = {
    "BOOK": _booked,
    "MOVE": _moved,
    "RESTORE": _restored,
    "SEND_NOW": _final,
    Act.CONFIRM: _confirmed,
    Act.CANCEL: _cancelled,
    Act.CHECK_IN: _arrived,
    Act.ROOM: _arrived,
    Act.COMPLETE: _arrived,
    Act.MARK_NO_SHOW: _arrived,
    Act.UNDO: _undone,
}
