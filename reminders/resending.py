"""Says again what is booked or cancelled, because somebody at the desk asks for it.

Never twice within minutes unless that is wished, and never where the patient cannot or does not
want to be reached: those rules hold for the desk as for everybody.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from reminders import notices
from reminders.kinds import Channel, NoticeKind, Standing, Why
from reminders.models import Delivery, Notice, Reminder
from reminders.reach import Known, Route, known_of, way_to
from scheduling import booking
from scheduling.models import Appointment
from scheduling.transitions import Status

JUST_NOW = timedelta(minutes=10)
LIVES = timedelta(hours=2)
WAYS = (Channel.EMAIL, Channel.SMS)
OPEN = {Status.SCHEDULED, Status.CONFIRMED}


class NotResent(Exception):
    """Nothing is sent; `why` says what stands against it."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


class JustSent(Exception):
    """A message about this visit went that way at `at`, minutes ago, or is on its way."""

    def __init__(self, at: datetime) -> None:
        super().__init__()
        self.at = at


def ways_to(visit: Appointment) -> dict[Channel, Route | Why]:
    """Return for each way whether the patient can be told by it now, or why not."""
    known: Known = known_of([visit.patient], WAYS)
    kind = NoticeKind.BOOKED.value
    return {way: way_to(visit.patient, way, kind=kind, known=known) for way in WAYS}


def kind_to_resend(visit: Appointment, *, now: datetime) -> NoticeKind | None:
    """Return what is to be said of a visit as it stands; None where there is nothing."""
    if visit.scheduled_start <= now:
        return None
    if visit.status in OPEN:
        return NoticeKind.BOOKED
    can_be_undone = visit.undo_until is not None and visit.undo_until > now
    if visit.status != Status.CANCELLED or can_be_undone:
        return None
    return NoticeKind.RELEASED if booking.is_released(visit) else NoticeKind.CANCELLED


def resend(
    *,
    appointment: Appointment,
    channel: Channel,
    key: str,
    anyway: bool = False,
    by_user: int,
    now: datetime,
) -> Notice | None:
    """Have the patient told again by one way; None where this `key` has had it done already.

    `anyway` sends although something just went. Raises NotResent and JustSent.
    """
    kind = kind_to_resend(appointment, now=now)
    if kind is None:
        raise NotResent(Why.TOO_LATE)
    way = ways_to(appointment)[channel]
    if isinstance(way, Why):
        raise NotResent(way)
    subject = f"again {by_user} {key}"
    with transaction.atomic():
        # Who asks for the same at the same time waits here, and is told that it has just gone.
        Appointment.objects.select_for_update().only("pk").get(pk=appointment.pk)
        if Notice.objects.filter(kind=kind, subject=subject, channel=channel).exists():
            return None
        last = just_sent(appointment, channel, now=now)
        if last is not None and not anyway:
            raise JustSent(last)
        (written,) = notices.notice(
            kind=kind,
            subject=subject,
            channels=[channel],
            clinic=appointment.clinic,
            patient=appointment.patient,
            appointment=appointment,
            details={"asked_by": by_user},
            due_at=now,
            not_after=min(appointment.scheduled_start, now + LIVES),
        )
    return written


def just_sent(visit: Appointment, channel: Channel, *, now: datetime) -> datetime | None:
    """Return when something about a visit last went this way, if that was minutes ago."""
    since = now - JUST_NOW
    sent = Delivery.objects.filter(
        Q(pk__in=Notice.objects.filter(appointment=visit).values("delivery"))
        | Q(pk__in=Reminder.objects.filter(appointment=visit).values("delivery")),
        channel=channel,
        created_at__gt=since,
    )
    due = Notice.objects.filter(
        appointment=visit,
        channel=channel,
        standing=Standing.PLANNED.value,
        due_at__gt=since,
        due_at__lte=now,
    )
    found = [
        *sent.values_list("created_at", flat=True),
        *due.values_list("due_at", flat=True),
    ]
    return max(found, default=None)
