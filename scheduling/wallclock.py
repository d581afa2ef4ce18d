"""Decides which instants a local day's wall-clock times are, the days the clocks change included.

Knows zones and days only; what happens at those times is no business of this module.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from scheduling.intervals import Interval

# A local day lies within its UTC day, widened by the largest offset ever used on either side.
_WIDEST_OFFSET = timedelta(hours=16)
_SECOND = timedelta(seconds=1)


def spans(zone: ZoneInfo, day: date, opens: timedelta, closes: timedelta) -> list[Interval]:
    """The instants at which the local clock reads `day` and a time in [opens, closes).

    Times are given since the day's local midnight. One interval on ordinary days; none where a
    gap swallows the range; two where the range begins or ends inside a fold.
    """
    midnight = datetime.combine(day, time.min, UTC)
    found = []
    for begins, ends, offset in _offsets(zone, day):
        start = max(midnight + opens - offset, begins)
        end = min(midnight + closes - offset, ends)
        if start < end:
            found.append(Interval(start, end))
    return found


def instants(zone: ZoneInfo, day: date, times: Iterable[timedelta]) -> list[datetime]:
    """The instants, in UTC, at which the local clock reads `day` and one of `times`.

    Times are given since the day's local midnight, ascending; the answer ascends too. A time in
    a gap has no instant, a time in a fold has two.
    """
    midnight = datetime.combine(day, time.min, UTC)
    readings = [midnight + moment for moment in times]
    return [
        reading - offset
        for begins, ends, offset in _offsets(zone, day)
        for reading in readings
        if begins <= reading - offset < ends
    ]


@lru_cache(maxsize=4096)
def _offsets(zone: ZoneInfo, day: date) -> tuple[tuple[datetime, datetime, timedelta], ...]:
    """The stretches of one UTC offset that cover a local day, as (from, until, offset).

    No zone changes its clocks twice within the two and a half days looked at.
    """
    midnight = datetime.combine(day, time.min, UTC)
    begins, ends = midnight - _WIDEST_OFFSET, midnight + timedelta(days=1) + _WIDEST_OFFSET
    before, after = _offset(zone, begins), _offset(zone, ends)
    if before == after:
        return ((begins, ends, before),)
    change = _change(zone, begins, ends)
    return ((begins, change, before), (change, ends, after))


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first second of the offset that holds at `after` but not yet at `before`."""
    old = _offset(zone, before)
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if _offset(zone, middle) == old:
            before = middle
        else:
            after = middle
    return after


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta:
    # Wall-clock subtraction of the two readings is the offset, without utcoffset()'s None.
    return instant.astimezone(zone).replace(tzinfo=None) - instant.replace(tzinfo=None)
