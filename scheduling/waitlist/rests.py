"""The time of an opening, and what a visit leaves of it: openings of their own.

Writes nothing.
"""

from __future__ import annotations

from datetime import datetime

from psycopg.types.range import Range

from scheduling.intervals import Interval, subtract
from scheduling.models import Opening
from scheduling.openings import SHORTEST, interval_of


def span_of(opening: Opening) -> Interval:
    """Return an opening's time, buffers included. Raises ValueError where it has no two ends."""
    return interval_of(opening.span)


def rests_of(opening: Opening, busy: Interval, *, now: datetime) -> list[Opening]:
    """Return, not yet written, what a visit's busy time leaves of an opening on either side."""
    return [
        Opening(
            provider_id=opening.provider_id,
            clinic_id=opening.clinic_id,
            visit_type_id=opening.visit_type_id,
            span=Range(left.start, left.end),
            cause=Opening.Cause.REST,
            created_at=now,
            next_at=now,
        )
        for left in subtract([span_of(opening)], [busy])
        if left.end - left.start >= SHORTEST and left.end > now
    ]
