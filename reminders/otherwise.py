"""What happens to a message that cannot go, or did not arrive, by the planned way: the next way
that its kind allows, or a call by a person. Knows no vendor, and sends nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from reminders.calls import open_call
from reminders.due import FALLBACK, NOTICE_FALLBACK, OFFER_FALLBACK
from reminders.judging import OF_A_VISIT, Row
from reminders.kinds import CallReason, Channel, Kind, NoticeKind, Standing, State, Why
from reminders.models import Notice, Reminder
from scheduling.models import Appointment

# Why a way is closed, while the message itself is still wanted.
NO_WAY = {
    Why.CAP,
    Why.OPTED_OUT,
    Why.SUPPRESSED,
    Why.SWITCHED_OFF,
    Why.NO_EMAIL,
    Why.NO_PHONE,
    Why.NOT_TEXTABLE,
    Why.NO_DEVICE,
}
UNWELCOME = {Why.OPTED_OUT, Why.SUPPRESSED}
# Without these nobody would hear of the visit's question, its room or its change.
WORTH_A_CALL = {
    Kind.REQUEST,
    Kind.FOLLOW_UP,
    Kind.JOIN,
    NoticeKind.MOVED,
    NoticeKind.CANCELLED,
    NoticeKind.RELEASED,
    NoticeKind.RESTORED,
}
Step = tuple[UUID, int, str]


def find_other_ways(closed: Iterable[tuple[Row, Why]], *, now: datetime) -> None:
    """Plan what cannot go by its way by the next one, due at once; without one, have somebody call.

    Rows whose `why` closes no way, or whose time is over, need neither. In the caller's
    transaction, a constant number of statements apart from calls.
    """
    open_rows = [(row, why) for row, why in closed if why in NO_WAY and row.not_after >= now]
    reminders = [(row, why) for row, why in open_rows if isinstance(row, Reminder)]
    notices = [(row, why) for row, why in open_rows if isinstance(row, Notice)]
    _plan(reminders, now=now)
    _tell(notices, now=now)


def after_failure(rows: Sequence[Row], *, now: datetime) -> None:
    """Do the same for what was handed to a vendor and did not arrive; too late, somebody calls."""
    in_time = [(row, Why.UNDELIVERED) for row in rows if row.not_after >= now]
    _plan([(row, why) for row, why in in_time if isinstance(row, Reminder)], now=now)
    _tell([(row, why) for row, why in in_time if isinstance(row, Notice)], now=now)
    for row in rows:
        if row.not_after < now:
            _call(row, Why.UNDELIVERED, now=now)


def _plan(closed: Sequence[tuple[Reminder, Why]], *, now: datetime) -> None:
    if not closed:
        return
    known = _known([row for row, _why in closed])
    fresh = []
    for row, why in closed:
        ways = known[row.appointment_id, row.sequence, row.kind]
        if any(_may_arrive(other) for other in ways.values() if other.pk != row.pk):
            continue
        channel = next((way for way in _after(row) if way not in ways), None)
        if channel is None:
            _call(row, why, now=now)
        else:
            ways[channel] = _by(row, channel, now=now)
            fresh.append(ways[channel])
    Reminder.objects.bulk_create(fresh, ignore_conflicts=True)


def _known(rows: Sequence[Reminder]) -> dict[Step, dict[Channel, Reminder]]:
    """Return all rows of the same steps of the same visits, by channel: one statement."""
    found: dict[Step, dict[Channel, Reminder]] = defaultdict(dict)
    visits = {row.appointment_id for row in rows}
    same = Reminder.objects.filter(appointment__in=visits, kind__in={row.kind for row in rows})
    for row in same.select_related("delivery"):
        found[row.appointment_id, row.sequence, row.kind][Channel(row.channel)] = row
    return found


def _may_arrive(row: Reminder) -> bool:
    if row.standing == Standing.PLANNED:
        return True
    sent = row.delivery
    return sent is not None and sent.state not in {State.FAILED, State.SKIPPED}


def _after(row: Reminder) -> Sequence[Channel]:
    """Return the ways that come after a row's own."""
    ways, own = FALLBACK[Kind(row.kind)], Channel(row.channel)
    return ways[ways.index(own) + 1 :] if own in ways else ways


def _by(row: Reminder, channel: Channel, *, now: datetime) -> Reminder:
    return Reminder(
        appointment_id=row.appointment_id,
        sequence=row.sequence,
        kind=row.kind,
        channel=channel.value,
        due_at=now,
        not_after=row.not_after,
    )


def _tell(closed: Sequence[tuple[Notice, Why]], *, now: datetime) -> None:
    """Take the next way for news of a visit, or an offer, unless that was taken before.

    Codes and links go to the one contact they name.
    """
    fresh = []
    for row, why in closed:
        if row.kind == NoticeKind.OFFER:
            fresh += [_told_by(row, to, now=now) for to in OFFER_FALLBACK[Channel(row.channel)]]
        elif row.kind in OF_A_VISIT and row.channel not in NOTICE_FALLBACK:
            fresh += [_told_by(row, channel, now=now) for channel in NOTICE_FALLBACK]
        else:
            _call(row, why, now=now)
    Notice.objects.bulk_create(fresh, ignore_conflicts=True)


def _told_by(row: Notice, channel: Channel, *, now: datetime) -> Notice:
    return Notice(
        kind=row.kind,
        subject=row.subject,
        channel=channel.value,
        clinic_id=row.clinic_id,
        patient_id=row.patient_id,
        appointment_id=row.appointment_id,
        sequence=row.sequence,
        offer_id=row.offer_id,
        language=row.language,
        details=row.details,
        due_at=now,
        not_after=row.not_after,
    )


def _call(row: Row, why: Why, *, now: datetime) -> None:
    """Have the desk call about a visit, if this is worth a call. Failed attempts always are."""
    visit: Appointment | None = row.appointment
    tried = why == Why.UNDELIVERED and (isinstance(row, Reminder) or row.kind in OF_A_VISIT)
    if visit is None or not (tried or row.kind in WORTH_A_CALL):
        return
    reason = CallReason.OPTED_OUT if why in UNWELCOME else CallReason.UNDELIVERABLE
    open_call(appointment=visit, reason=reason, now=now)
