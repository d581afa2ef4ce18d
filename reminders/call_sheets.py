"""The desk's call list as it is shown: visits to call about, earlier calls, and freed times.

Reads rows and words; what comes of a call is written elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Count, Exists, OuterRef, Prefetch, QuerySet

from providers.models import Clinic
from reminders.kinds import CallReason
from reminders.models import CallAttempt, CallItem
from reminders.models.desk import CallItemQuerySet
from reminders.words import call_reason_words
from scheduling.desk_words import Line, when_words
from scheduling.models import Appointment, AppointmentEvent, CancelReason
from scheduling.transitions import Act, Status

FREED_SHOWN = 20


@dataclass(frozen=True, slots=True)
class ToCall:
    """A visit on the list: why, the number of calls so far, and the last one in words."""

    visit: Appointment
    reasons: list[str]
    when: str
    calls: int
    last: Line | None


def open_items(user: User, clinics: Sequence[Clinic], *, now: datetime) -> CallItemQuerySet:
    """Return the calls that wait at these clinics, about visits to come."""
    seen: CallItemQuerySet = CallItem.objects.visible_to(user)
    return seen.filter(
        clinic__in=clinics, closed_at__isnull=True, appointment__scheduled_start__gt=now
    )


def counts(items: CallItemQuerySet) -> dict[str, int]:
    """Return how many visits wait for each reason: one statement."""
    rows = items.order_by().values("reason").annotate(visits=Count("appointment", distinct=True))
    return {row["reason"]: row["visits"] for row in rows}


def visits_to_call(
    visits: QuerySet[Appointment], items: CallItemQuerySet, *, reason: CallReason | None
) -> QuerySet[Appointment]:
    """Return the visits on the list, the soonest first, with their calls read along."""
    wanted = items if reason is None else items.filter(reason=reason.value)
    about = wanted.filter(appointment=OuterRef("pk"))
    attempts = CallAttempt.objects.select_related("by_user").defer("note")
    calls = CallItem.objects.order_by("opened_at", "pk").prefetch_related(
        Prefetch("attempts", attempts)
    )
    found = visits.filter(Exists(about)).prefetch_related(Prefetch("calls", calls))
    return found.order_by("scheduled_start", "pk")


def row(visit: Appointment) -> ToCall:
    """Return a visit of the list in words."""
    items = list(visit.calls.all())
    tried = sorted((one for item in items for one in item.attempts.all()), key=lambda one: one.at)
    return ToCall(
        visit=visit,
        reasons=[call_reason_words(item.reason) for item in items if item.closed_at is None],
        when=when_words(visit.scheduled_start, visit.zone),
        calls=len(tried),
        last=_line(tried[-1], visit) if tried else None,
    )


def earlier_calls(visit: Appointment) -> list[tuple[Line, str]]:
    """Return every call about a visit with its note, the latest first. Opens the notes."""
    attempts = CallAttempt.objects.filter(item__appointment=visit)
    rows = attempts.select_related("by_user", "item__appointment").order_by("-at", "-id")
    return [(_line(one, visit), one.note) for one in rows]


def _line(attempt: CallAttempt, visit: Appointment) -> Line:
    who = attempt.by_user.get_full_name() or attempt.by_user.get_username()
    return Line(attempt.get_outcome_display(), when_words(attempt.at, visit.zone), who)


def freed(visits: QuerySet[Appointment], *, now: datetime) -> QuerySet[Appointment]:
    """Return visits to come whose time was freed because nobody confirmed them."""
    released = AppointmentEvent.objects.filter(
        appointment=OuterRef("pk"), kind=Act.CANCEL, details__reason=CancelReason.UNCONFIRMED.value
    )
    gone = visits.filter(
        Exists(released),
        status=Status.CANCELLED,
        scheduled_start__gt=now,
        scheduled_start__lt=now + timedelta(days=8),
    )
    return gone.order_by("scheduled_start", "pk")


def is_to_come(visit: Appointment) -> bool:
    """Say whether a visit stands, so that there is something to confirm, move or cancel."""
    return visit.status in {Status.SCHEDULED, Status.CONFIRMED}
