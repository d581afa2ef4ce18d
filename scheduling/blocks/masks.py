"""Decides which cells of a block a search asks for: local dates, weekdays and times of day."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from scheduling.blocks import timeline
from scheduling.wallclock import spans
from scheduling.windows import days_between, since_midnight

_DAY = timedelta(days=1)
_MIDNIGHT = timedelta(0)


@dataclass(frozen=True, slots=True)
class Asked:
    """Local dates, both included, and what a start must keep to; `earliest` is an instant.

    No `weekdays` means all; a start at `not_after` itself is wanted.
    """

    first: date
    last: date
    earliest: datetime
    weekdays: Collection[int] = ()
    not_before: time | None = None
    not_after: time | None = None

    def mask(self, zone: ZoneInfo, block: int, grid: int) -> int:
        """Return the block's cells at which a visit may start, as bits."""
        begin, end = timeline.begins(block), timeline.begins(block + 1)
        first, last = max(self.first, (begin - _DAY).date()), min(self.last, (end + _DAY).date())
        opens = _MIDNIGHT if self.not_before is None else since_midnight(self.not_before)
        closes = _DAY if self.not_after is None else since_midnight(self.not_after)
        if self.not_after is not None:
            closes += timedelta.resolution
        found = 0
        for day in days_between(first, last):
            if self.weekdays and day.weekday() not in self.weekdays:
                continue
            for span in spans(zone, day, opens, closes):
                start = max(span.start, self.earliest)
                if start < span.end:
                    found |= timeline.starting(block, grid, start, span.end)
        return found
