"""Decides how much free time a booking would waste: minutes in which no visit fits any more.

Refuses to know rows and who asks. A minute is a bit of a number, so that days are compared at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from operator import or_

from scheduling.blocks.reading import runs
from scheduling.blocks.records import Minutes
from scheduling.blocks.timeline import minute_of
from scheduling.intervals import Interval, in_utc
from scheduling.slots import Visit
from scheduling.windows import Window, days_between, starts, working

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_AROUND = timedelta(hours=28)
_MINUTES = int(3 * _AROUND / _MINUTE)
_ALL = (1 << _MINUTES) - 1


@dataclass(frozen=True, slots=True)
class _Shape:
    """A visit's minutes and its buffers': what has the same shape needs the same gap."""

    before: int
    length: int
    after: int

    @property
    def busy(self) -> int:
        return self.before + self.length + self.after


class Diary:
    """A provider's minutes at one clinic around one local day, and what can be booked in them.

    `windows` are the hours at that clinic, at least one; `visits` are all kinds that the provider
    sees, notice and horizon apart. `taken` is busy time with its buffers, `away` time off and
    closures, both in whole minutes since 1970. What begins before `now` is no use any more. Exact
    for visits of up to ten hours, buffers included.
    """

    def __init__(
        self,
        windows: Sequence[Window],
        *,
        visits: Iterable[Visit],
        day: date,
        taken: Iterable[Minutes],
        away: Iterable[Minutes],
        now: datetime,
    ) -> None:
        self.day = day
        midnight = datetime.combine(day, time.min, windows[0].zone).astimezone(UTC)
        self._begin = minute_of(midnight - _AROUND)
        self._days = days_between(day - _DAY, day + _DAY)
        self.windows = [each for each in windows if any(map(each.applies, self._days))]
        self._grids = [self._grid_of(window) for window in self.windows]
        self._opened: dict[tuple[int, ...], int] = {(): 0}
        self._untaken = _ALL & ~self._bits(taken)
        self._present = _ALL & ~self._bits(away)
        self._to_come = _ALL & ~_mask(0, self._at(in_utc(now) + _MINUTE - timedelta.resolution))
        every = tuple(range(len(self.windows)))
        self._free = self._open(every) & self._untaken & self._to_come
        self._places: dict[_Shape, int] = {}
        for visit in visits:
            for shape, _windows, places in self._placed(visit):
                self._places[shape] = self._places.get(shape, 0) | places
        self._useless = self._useless_with(0, 0)

    def offered(self, visit: Visit) -> list[Interval]:
        """Return where a visit can lie that begins on the diary's day, in order.

        Where hours offer one start with several lengths, the shortest is taken.
        """
        found: dict[datetime, Interval] = {}
        for shape, windows, places in self._placed(visit):
            for window in windows:
                for start in starts(window, self.day):
                    if places >> self._at(start) & 1:
                        found[start] = Interval(start, start + shape.length * _MINUTE)
        return [found[start] for start in sorted(found)]

    def wasted(self, visit: Visit, at: Interval) -> int:
        """Return how many free minutes the visit, booked there, leaves without any use.

        A minute is of use if some visit can be booked so that it, or a buffer of it, takes that
        minute. Only what the booking spoils is counted, not what was of no use before.
        """
        begins = self._at(at.start) - visit.buffer_before
        return self._useless_with(begins, self._at(at.end) + visit.buffer_after) - self._useless

    def _useless_with(self, begins: int, ends: int) -> int:
        """Count the free minutes beside a busy stretch that no visit could use."""
        used = _mask(begins, ends)
        for shape, places in self._places.items():
            spoiled = _mask(begins - shape.length - shape.after + 1, ends + shape.before)
            left = places & ~spoiled if begins < ends else places
            used |= _spread(left >> shape.before, shape.busy)
        return (self._free & ~used).bit_count()

    def _placed(self, visit: Visit) -> Iterator[tuple[_Shape, list[Window], int]]:
        """Yield each length that the visit can have, longest first, with the starts it fits at."""
        allowed = [n for n, window in enumerate(self.windows) if window.allows(visit.type)]
        hours = self._open(tuple(allowed))
        lengths = {visit.length_in(self.windows[n]) for n in allowed}
        for length in sorted(lengths, reverse=True):
            same = [n for n in allowed if visit.length_in(self.windows[n]) == length]
            shape = _Shape(visit.buffer_before, length // _MINUTE, visit.buffer_after)
            places = runs(self._untaken, shape.busy) << shape.before
            places &= runs(hours, shape.length) & self._to_come
            grid = reduce(or_, (self._grids[n] for n in same))
            yield shape, [self.windows[n] for n in same], places & grid

    def _open(self, numbers: tuple[int, ...]) -> int:
        """Return the minutes that are worked in some of the windows by somebody who is there."""
        if numbers not in self._opened:
            windows = [self.windows[n] for n in numbers]
            (hours,) = working(windows, self._days[0], self._days[-1]).values()
            worked = self._bits((minute_of(each.start), minute_of(each.end)) for each in hours)
            self._opened[numbers] = worked & self._present
        return self._opened[numbers]

    def _grid_of(self, window: Window) -> int:
        return sum(1 << self._at(start) for day in self._days for start in starts(window, day))

    def _bits(self, stretches: Iterable[Minutes]) -> int:
        found = 0
        for begins, ends in stretches:
            found |= _mask(begins - self._begin, ends - self._begin)
        return found

    def _at(self, instant: datetime) -> int:
        return minute_of(instant) - self._begin


def _mask(begins: int, ends: int) -> int:
    """The minutes of [begins, ends) that are among those looked at."""
    begins, ends = max(begins, 0), min(ends, _MINUTES)
    return (1 << ends) - (1 << begins) if begins < ends else 0


def _spread(begins: int, length: int) -> int:
    """The minutes that are taken by what begins at each of these and lasts for `length`."""
    have = 1
    while have < length:
        more = min(have, length - have)
        begins |= begins << more
        have += more
    return begins
