"""Decides which cells of a block a search asks for: local dates, weekdays and times of day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
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
    weekdays: frozenset[int] = frozenset()
    not_before: time | None = None
    not_after: time | None = None

    def mask(self, zone: ZoneInfo, block: int, grid: int) -> int:
        """Return the block's cells at which a visit may start, as bits."""
        return _mask(self, zone, block, grid)


# A search asks for each twice: whether there is anything to read, and for what is read.
@lru_cache(maxsize=1024)
def _mask(asked: Asked, zone: ZoneInfo, block: int, grid: int) -> int:
    begin, end = timeline.begins(block), timeline.begins(block + 1)
    first, last = max(asked.first, (begin - _DAY).date()), min(asked.last, (end + _DAY).date())
    opens = _MIDNIGHT if asked.not_before is None else since_midnight(asked.not_before)
    closes = _DAY if asked.not_after is None else since_midnight(asked.not_after)
    if asked.not_after is not None:
        closes += timedelta.resolution
    found = 0
    for day in days_between(first, last):
        if asked.weekdays and day.weekday() not in asked.weekdays:
            continue
        for span in spans(zone, day, opens, closes):
            start = max(span.start, asked.earliest)
            if start < span.end:
                found |= timeline.starting(block, grid, start, span.end)
    return found
