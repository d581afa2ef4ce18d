"""Time that comes free is written down as an opening, in the transaction that frees it.

Whether anybody may be offered it, and whether it is still free by then, is asked later: of what a
visit frees, hours, absences and new bookings are not looked at here. An overbooked visit frees
nothing, as another stands beside it. The desk may open time that nobody freed, if it is free.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django_q.tasks import async_task
from psycopg.types.range import Range

from providers.calendars import bump
from providers.models import Clinic, Provider
from scheduling import worked
from scheduling.actors import Actor
from scheduling.availability.rows import read
from scheduling.changes import Before, Change
from scheduling.errors import (
    ClinicClosed,
    InThePast,
    OutsideHours,
    ProviderAway,
    ProviderInactive,
    SlotTaken,
)
from scheduling.intervals import Interval, subtract
from scheduling.models import CancelReason, Opening
from scheduling.transactions import in_one_transaction, limit_waiting
from scheduling.transitions import Act, Status

CANCEL, MOVE, RELEASE = "CANCEL", "MOVE", "RELEASE"
# Less time than this is of no use to any visit.
SHORTEST = timedelta(minutes=5)


def on_appointment_change(changes: Sequence[Change]) -> None:
    """Write what cancellations, releases and moves free; close what comes back to its visit.

    A cancellation that can still be undone opens nothing before `not_before`. Time that has begun
    is no opening.
    """
    opened = [opening for change in changes for opening in _freed(change)]
    if opened:
        Opening.objects.bulk_create(opened)
    if any(opening.not_before is None for opening in opened):
        nudge()
    for change in changes:
        before = change.before
        if before is not None and before.status is Status.CANCELLED and not before.lane:
            _follow(change, before)


def nudge() -> None:
    """Let due openings be looked at when the transaction has committed; asked twice is once.

    An opening that is missed so is found by the minute's sweep.
    """
    if not any(asked[1] is _call for asked in connection.run_on_commit):
        transaction.on_commit(_call, robust=True)


def _call() -> None:
    async_task("scheduling.tasks.offer")


def _freed(change: Change) -> Iterator[Opening]:
    before = change.before
    if before is None or before.lane or before.start <= change.at:
        return
    if change.kind == Act.CANCEL:
        cause = RELEASE if change.reason == CancelReason.UNCONFIRMED else CANCEL
        yield _opening(change, before, interval_of(before.busy), cause)
    elif change.kind == "MOVE":
        for left in subtract([interval_of(before.busy)], _kept(change, before)):
            yield _opening(change, before, left, MOVE)


def _kept(change: Change, before: Before) -> list[Interval]:
    """Return what a moved visit still takes of the same provider's time."""
    visit = change.appointment
    return [interval_of(visit.busy)] if visit.provider_id == before.provider_id else []


def interval_of(span: Range[datetime]) -> Interval:
    """Return a span that has two ends. Raises ValueError for one that has not."""
    if span.lower is None or span.upper is None:
        raise ValueError("busy time has two ends")
    return Interval(span.lower, span.upper)


def _opening(change: Change, before: Before, span: Interval, cause: str) -> Opening:
    return Opening(
        provider_id=before.provider_id,
        clinic_id=before.clinic_id,
        visit_type_id=before.visit_type_id,
        span=Range(span.start, span.end),
        cause=cause,
        not_before=change.not_before,
        next_at=change.not_before or change.at,
        created_at=change.at,
    )


def _follow(change: Change, before: Before) -> None:
    """Close what lies in a visit that stands again; let one go whose ten minutes were ended.

    An opening that was narrowed for an offer, and what was left of it, lie in it too. None of them
    is kept for somebody: the visit would not have got its time back.
    """
    found = Opening.objects.filter(
        provider=before.provider_id, state=Opening.State.OPEN, span__contained_by=before.busy
    )
    if change.kind in {Act.UNDO, "RESTORE"}:
        found.update(state=Opening.State.CLOSED, ended=Opening.Ended.RETURNED, ended_at=change.at)
    elif change.kind == "SEND_NOW" and found.filter(not_before__isnull=False).update(
        not_before=None, next_at=change.at
    ):
        nudge()


@in_one_transaction
def open_by_hand(
    *, provider: Provider, clinic: Clinic, span: Interval, by: Actor, now: datetime
) -> Opening:
    """Let staff offer free time to those who wait: the opening of it, new or as it stood.

    `span` is a provider's time with any buffers. What of it is open already is not opened twice:
    where all is, the opening with its beginning is looked at again and returned. Raises InThePast,
    ProviderInactive, OutsideHours, ClinicClosed, ProviderAway, SlotTaken, or Busy.
    """
    if not by.is_staff:
        raise ValueError("only staff choose the time that is offered")
    limit_waiting()
    bump([provider.pk])
    _check_is_free(provider, clinic, span, now=now)
    known = list(open_ones([provider.pk], span))
    new = [
        Opening(
            provider=provider,
            clinic=clinic,
            span=Range(left.start, left.end),
            cause=Opening.Cause.DESK,
            next_at=now,
            created_at=now,
        )
        for left in subtract([span], [interval_of(row.span) for row in known])
    ]
    Opening.objects.bulk_create(new)
    Opening.objects.filter(pk__in=[row.pk for row in known]).update(next_at=now, not_before=None)
    nudge()
    return new[0] if new else known[0]


def open_ones(providers: Iterable[UUID], span: Interval) -> QuerySet[Opening]:
    """Return the openings of these providers that are still open and meet a span, in order."""
    return Opening.objects.filter(
        provider__in=providers,
        state=Opening.State.OPEN,
        span__overlap=Range(span.start, span.end),
    ).order_by("span")


def _check_is_free(provider: Provider, clinic: Clinic, span: Interval, *, now: datetime) -> None:
    if span.start < now:
        raise InThePast
    if not (provider.is_active and clinic.is_active):
        raise ProviderInactive
    rows = read([provider.pk], begin=span.start, end=span.end, clock=now)
    worked_here = worked.hours(rows.windows.get(provider.pk, ()), clinic.pk, span)
    if subtract([span], worked_here):
        raise OutsideHours
    if rows.closures.get(clinic.pk):
        raise ClinicClosed
    if rows.away.get(provider.pk):
        raise ProviderAway
    if rows.taken.get(provider.pk):
        raise SlotTaken
    if rows.holds.get(provider.pk):
        raise SlotTaken(held=True)
