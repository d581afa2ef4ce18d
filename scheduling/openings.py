"""Time that comes free is written down as an opening, in the transaction that frees it.

Whether anybody may be offered it, and whether it is still free by then, is asked later: hours,
absences and new bookings are not looked at here. An overbooked visit frees nothing, as another
stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db.models import QuerySet
from psycopg.types.range import Range

from scheduling.changes import Before, Change
from scheduling.intervals import Interval, subtract
from scheduling.models import Appointment, CancelReason, Opening
from scheduling.transitions import Act, Status

CANCEL, MOVE, RELEASE = "CANCEL", "MOVE", "RELEASE"


def on_appointment_change(changes: Sequence[Change]) -> None:
    """Write what cancellations, releases and moves free; close what comes back to its visit.

    A cancellation that can still be undone opens nothing before `not_before`. Time that has begun
    is no opening.
    """
    opened = [opening for change in changes for opening in _freed(change)]
    if opened:
        Opening.objects.bulk_create(opened)
    for change in changes:
        if change.before is not None and change.before.status is Status.CANCELLED:
            _follow(change)


def _freed(change: Change) -> Iterator[Opening]:
    before = change.before
    if before is None or before.lane or before.start <= change.at:
        return
    if change.kind == Act.CANCEL:
        cause = RELEASE if change.reason == CancelReason.UNCONFIRMED else CANCEL
        yield _opening(change, before, _interval(before.busy), cause)
    elif change.kind == "MOVE":
        for left in subtract([_interval(before.busy)], _kept(change.appointment, before)):
            yield _opening(change, before, left, MOVE)


def _kept(visit: Appointment, before: Before) -> list[Interval]:
    """Return what a moved visit still takes of the same provider's time."""
    return [_interval(visit.busy)] if visit.provider_id == before.provider_id else []


def _interval(span: Range[datetime]) -> Interval:
    if span.lower is None or span.upper is None:
        raise ValueError("busy time has two ends")
    return Interval(span.lower, span.upper)


def _opening(change: Change, before: Before, span: Interval, cause: str) -> Opening:
    return Opening(
        provider_id=before.provider_id,
        clinic_id=before.clinic_id,
        span=Range(span.start, span.end),
        cause=cause,
        not_before=change.not_before,
    )


def _follow(change: Change) -> None:
    """Close the opening of a visit that stands again; let one go whose ten minutes were ended."""
    if change.kind in {Act.UNDO, "RESTORE"}:
        _opening_of(change.appointment).update(state=Opening.State.CLOSED)
    elif change.kind == "SEND_NOW":
        _opening_of(change.appointment).update(not_before=None)


def _opening_of(visit: Appointment) -> QuerySet[Opening]:
    return Opening.objects.filter(
        provider=visit.provider_id,
        clinic=visit.clinic_id,
        span=visit.busy,
        cause__in=[CANCEL, RELEASE],
        state=Opening.State.OPEN,
    )
