"""When a patient is left in peace: whether an instant is in their quiet hours, and until when.

Knows wall clocks only; refuses to know what would be sent, and to whom.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
# Days in which a change is sure to be found: clocks that jump leave one out at most.
DAYS = 4


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of the patient's wall clock, [start, end), in which nothing automatic is sent.

    They may reach over midnight; where both are the same there are none.
    """

    start: time
    end: time


def is_quiet(at: datetime, *, zone: ZoneInfo, quiet: Quiet) -> bool:
    """Say whether an instant is in quiet hours."""
    wall = at.astimezone(zone).time()
    if quiet.start <= quiet.end:
        return quiet.start <= wall < quiet.end
    return wall >= quiet.start or wall < quiet.end


def quiet_ends(at: datetime, *, zone: ZoneInfo, quiet: Quiet) -> datetime:
    """Return the first instant at or after `at` that is not in quiet hours, in UTC.

    Clocks that are set forward or back over an end of them end them then.
    """
    return _first(at.astimezone(UTC), zone, quiet, is_quiet_then=False)


def quiet_begins(at: datetime, *, zone: ZoneInfo, quiet: Quiet) -> datetime | None:
    """Return the first instant at or after `at` that is in quiet hours, in UTC.

    None where there are none. Clocks that are set forward may leave a day without.
    """
    if quiet.start == quiet.end:
        return None
    return _first(at.astimezone(UTC), zone, quiet, is_quiet_then=True)


def _first(at: datetime, zone: ZoneInfo, quiet: Quiet, *, is_quiet_then: bool) -> datetime:
    """Return the first instant at or after `at` at which it is quiet, or at which it is not."""
    turns, states = _turns(at.date(), zone, quiet)
    place = bisect_right(turns, at)
    if states[place - 1] is is_quiet_then:
        return at
    return turns[states.index(is_quiet_then, place)]


def shown(wall: time, zone: ZoneInfo, *, day: date, days: range) -> set[datetime]:
    """Return when the zone's clocks show a time on days around one: twice on one set back."""
    walls = [datetime.combine(day + DAY * n, wall, zone) for n in days]
    return {each.replace(fold=fold).astimezone(UTC) for each in walls for fold in (0, 1)}


@lru_cache(maxsize=4096)
def _turns(
    day: date, zone: ZoneInfo, quiet: Quiet
) -> tuple[tuple[datetime, ...], tuple[bool, ...]]:
    """Return when quiet hours may begin or end around a day of UTC, and whether it is quiet then.

    The first lies before the day; from one to the next nothing changes.
    """
    found = {datetime.combine(day - DAY, time.min, UTC), *_set_clocks(day, zone)}
    for wall in (quiet.start, quiet.end):
        found |= shown(wall, zone, day=day, days=range(-1, DAYS + 1))
    turns = tuple(sorted(found))
    return turns, tuple(is_quiet(turn, zone=zone, quiet=quiet) for turn in turns)


def _set_clocks(day: date, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield when the zone's clocks are set in the days around one."""
    midnight = datetime.combine(day, time.min, UTC)
    for number in range(-1, DAYS + 1):
        low, high = midnight + DAY * number, midnight + DAY * (number + 1)
        before = low.astimezone(zone).utcoffset()
        if before == high.astimezone(zone).utcoffset():
            continue
        while high - low > SECOND:
            middle = low + (high - low) // 2
            if middle.astimezone(zone).utcoffset() == before:
                low = middle
            else:
                high = middle
        yield high.replace(microsecond=0)
