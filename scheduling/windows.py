"""Decides when a provider works: recurring rows of wall-clock hours, and the grid of their starts.

Refuses to know visits, absences, busy time and the clock.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from scheduling import wallclock
from scheduling.intervals import Interval, merge

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


class ClinicKey(Hashable, Protocol):
    """Whatever tells one clinic from another and sorts: a UUID, a number, a name."""

    def __lt__(self, other: Any, /) -> bool: ...


@dataclass(frozen=True, slots=True)
class Window:
    """One recurring row of working hours at one clinic, in the wall-clock time of its zone.

    `weekday` counts from Monday = 0; an `end` of 00:00 is the day's end; `step` is in minutes and
    also the length of visits that have none; the validity dates are inclusive; no `types` means
    all of them. All windows of one clinic share its zone. Raises ValueError on hours that do not
    end after they start and on a step below one minute.
    """

    clinic: ClinicKey
    zone: ZoneInfo
    weekday: int
    start: time
    end: time
    step: int
    valid_from: date
    valid_until: date | None
    types: frozenset[Hashable] = frozenset()

    def __post_init__(self) -> None:
        if self.opens >= self.closes:
            raise ValueError(f"working hours must end after they start: {self.start} to {self.end}")
        if self.step < 1:
            raise ValueError(f"a step must be at least one minute: {self.step}")

    @property
    def opens(self) -> timedelta:
        """The start, since local midnight."""
        return since_midnight(self.start)

    @property
    def closes(self) -> timedelta:
        """The end, since local midnight: 24 hours for an end of 00:00."""
        return since_midnight(self.end) or _DAY

    def applies(self, day: date) -> bool:
        """Whether the window is worked on that local date."""
        return (
            self.weekday == day.weekday()
            and self.valid_from <= day
            and (self.valid_until is None or day <= self.valid_until)
        )

    def allows(self, visit_type: Hashable) -> bool:
        """Whether visits of that type are seen in these hours."""
        return not self.types or visit_type in self.types

    def elapsed(self, instant: datetime) -> timedelta | None:
        """How far into these hours the wall clock reads at that instant; None outside them."""
        reading = instant.astimezone(self.zone)
        into_day = since_midnight(reading.time())
        if self.applies(reading.date()) and self.opens <= into_day < self.closes:
            return into_day - self.opens
        return None

    def offers(self, instant: datetime) -> bool:
        """Whether that instant is on the grid on which visits may start."""
        elapsed = self.elapsed(instant)
        return elapsed is not None and not elapsed % (self.step * _MINUTE)


def working(
    windows: Iterable[Window], day_from: date, day_to: date
) -> dict[ClinicKey, list[Interval]]:
    """Each clinic's working time on the local dates from `day_from` to `day_to`, both included.

    Sorted and merged: touching windows of one clinic are one interval, across midnight as well.
    """
    found: dict[ClinicKey, list[Interval]] = {}
    days = days_between(day_from, day_to)
    for window in windows:
        zone, opens, closes = window.zone, window.opens, window.closes
        pieces = found.setdefault(window.clinic, [])
        for day in filter(window.applies, days):
            pieces += wallclock.spans(zone, day, opens, closes)
    return {clinic: merge(pieces) for clinic, pieces in found.items()}


def starts(window: Window, day: date) -> list[datetime]:
    """The instants of one local date at which the window's grid lets a visit start, ascending.

    Whether a visit then fits before the working time ends is not asked here.
    """
    if not window.applies(day):
        return []
    opens, step = window.opens, window.step * _MINUTE
    count = -((opens - window.closes) // step)
    return wallclock.instants(window.zone, day, [opens + k * step for k in range(count)])


def days_between(first: date, last: date) -> list[date]:
    """The dates from `first` to `last`, both included; none if they run backwards."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def since_midnight(clock: time) -> timedelta:
    """What a clock that reads a time of day has run since midnight."""
    return timedelta(
        hours=clock.hour,
        minutes=clock.minute,
        seconds=clock.second,
        microseconds=clock.microsecond,
    )
