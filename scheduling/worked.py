"""Decides which stretches of a provider's time are worked at a clinic, and which of those are free.

Rows come as they were read; nothing is asked of the database, and live holds take no time here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from scheduling.availability.rows import Rows
from scheduling.blocks.records import Minutes
from scheduling.blocks.timeline import EPOCH, MINUTE
from scheduling.intervals import Interval, subtract
from scheduling.windows import Window, working

DAY = timedelta(days=1)


def hours(windows: Iterable[Window], clinic: UUID, span: Interval) -> list[Interval]:
    """Return what of a span these hours cover at a clinic, ordered and merged."""
    here = [window for window in windows if window.clinic == clinic]
    # A local date is at most a day from the one in UTC.
    first, last = span.start.date() - DAY, span.end.date() + DAY
    return common(working(here, first, last).get(clinic, []), [span])


def common(some: Sequence[Interval], others: Sequence[Interval]) -> list[Interval]:
    """Return the instants that lie in both, merged and sorted."""
    return subtract(some, subtract(some, others))


def free(
    stretches: Iterable[Interval], rows: Rows, *, provider: UUID, clinic: UUID
) -> list[Interval]:
    """Return what is left without time off, closures and visits with their buffers."""
    gone = [
        *rows.away.get(provider, ()),
        *rows.closures.get(clinic, ()),
        *rows.taken.get(provider, ()),
    ]
    return subtract(stretches, map(of_minutes, gone))


def of_minutes(span: Minutes) -> Interval:
    """Return whole minutes since 1970 as an interval."""
    return Interval(EPOCH + span[0] * MINUTE, EPOCH + span[1] * MINUTE)


def from_whole_minute(instant: datetime) -> datetime:
    """Return the first whole minute that is not before an instant."""
    return EPOCH - (EPOCH - instant) // MINUTE * MINUTE
