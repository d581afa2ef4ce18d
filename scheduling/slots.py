"""Decides which slots working hours offer a visit, and why a given start is refused.

Refuses to know rows, patients and who asks: hours, absences, busy time and the clock are passed in.

The rule: starts are the wall-clock times "window start + k x step" that exist that day in the
clinic's zone, both instants of a fold and none in a gap. A slot's length is elapsed time. It lies
wholly in working time and may cross from one window into the next where the two touch. Time off
and closures forbid the visit itself; its buffers belong to the provider's busy time, may reach
outside working hours or into time off, but never into other busy time. Minimum notice and horizon
are looked at last.
"""

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, date, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from zoneinfo import ZoneInfo

from scheduling.intervals import Interval, in_utc, merge, subtract
from scheduling.windows import ClinicKey, Window, days_between, starts, working

__all__ = [
    "ClinicKey",
    "Reason",
    "Slot",
    "Visit",
    "Window",
    "free_slots",
    "starts",
    "why_not",
    "working",
]

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_TICK = timedelta.resolution
_LAST_DAY = date(MAXYEAR - 1, 12, 31)


class Reason(StrEnum):
    """Why a start is refused."""

    PAST = "past"
    TYPE_NOT_ALLOWED = "type_not_allowed"
    OUTSIDE_HOURS = "outside_hours"
    AWAY = "away"
    NOT_ON_GRID = "not_on_grid"
    TOO_SOON = "too_soon"
    TOO_FAR = "too_far"


@dataclass(frozen=True, slots=True)
class Visit:
    """What is to be placed: lengths in minutes, `minutes` None meaning the window's step.

    Raises ValueError on a length below one minute and on negative buffers or notice.
    """

    type: Hashable
    minutes: int | None
    buffer_before: int = 0
    buffer_after: int = 0
    notice: timedelta = timedelta(0)
    horizon_days: int | None = None

    def __post_init__(self) -> None:
        if self.minutes is not None and self.minutes < 1:
            raise ValueError(f"a visit lasts at least one minute: {self.minutes}")
        if min(self.buffer_before, self.buffer_after) < 0 or self.notice < timedelta(0):
            raise ValueError("buffers and notice cannot be negative")

    def length_in(self, window: Window) -> timedelta:
        """How long the visit lasts if it starts on that window's grid."""
        return (window.step if self.minutes is None else self.minutes) * _MINUTE


@dataclass(frozen=True, slots=True)
class Slot:
    """A time at which a visit fits: UTC instants, half-open."""

    start: datetime
    end: datetime
    clinic: ClinicKey

    def busy(self, visit: Visit) -> Interval:
        """The provider's busy time if the visit is placed here: the slot and its buffers."""
        return Interval(
            self.start - visit.buffer_before * _MINUTE, self.end + visit.buffer_after * _MINUTE
        )


def free_slots(
    *,
    windows: Iterable[Window],
    visit: Visit,
    first_day: date,
    last_day: date,
    blocked: Iterable[Interval],
    away: Iterable[Interval],
    now: datetime,
) -> list[Slot]:
    """Every slot of one provider that starts on the clinic-local dates given, both included.

    `blocked` are the busy times, buffers included, of appointments and live holds: the visit's
    own busy time must not overlap them. `away` is time off and closures: the visit without its
    buffers must not overlap them. Only windows that allow the visit's type count, for starts and
    for working time. Ordered by (start, clinic) and unique; where windows offer one start with
    several lengths, the shortest is taken. Raises ValueError on a naive `now`.
    """
    now = in_utc(now)
    taken, gone = merge(blocked), merge(away)
    by_clinic: dict[ClinicKey, list[Window]] = {}
    for window in windows:
        if window.allows(visit.type):
            by_clinic.setdefault(window.clinic, []).append(window)
    found: list[Slot] = []
    for clinic, mine in by_clinic.items():
        days = _bookable_days(visit, mine[0].zone, first_day, last_day, now)
        ends = _free_at_one_clinic(mine, visit, days, taken, gone)
        earliest = now + visit.notice
        found += [Slot(start, end, clinic) for start, end in ends.items() if start >= earliest]
    return sorted(found, key=lambda slot: (slot.start, slot.clinic))


def why_not(
    *,
    windows: Iterable[Window],
    visit: Visit,
    start: datetime,
    clinic: ClinicKey,
    away: Iterable[Interval],
    now: datetime,
    on_grid: bool = True,
) -> Reason | None:
    """Why the visit may not start at that instant, by the rules of `free_slots`; None if it may.

    The first of these that holds: PAST, TYPE_NOT_ALLOWED (other types may) or OUTSIDE_HOURS,
    AWAY, NOT_ON_GRID, TOO_SOON, TOO_FAR. Busy time is not asked for. Staff who choose a start of
    their own pass `on_grid=False`; a visit without a length then takes the step of the window it
    starts in. Whoever may ignore notice and horizon passes a visit without them. Raises
    ValueError on a naive `start` or `now`.
    """
    start, now = in_utc(start), in_utc(now)
    if start < now:
        return Reason.PAST
    if start.year == MAXYEAR:
        return Reason.TOO_FAR
    here = [window for window in windows if window.clinic == clinic]
    allowed = [window for window in here if window.allows(visit.type)]
    span = _worked_span(allowed, visit, start)
    if span is None:
        others = _worked_span(here, visit, start)
        return Reason.OUTSIDE_HOURS if others is None else Reason.TYPE_NOT_ALLOWED
    if any(absence.overlaps(span) for absence in away):
        return Reason.AWAY
    if on_grid and not any(window.offers(start) for window in allowed):
        return Reason.NOT_ON_GRID
    return _notice_or_horizon(visit, start, now, allowed[0].zone)


def _bookable_days(
    visit: Visit, zone: ZoneInfo, first: date, last: date, now: datetime
) -> list[date]:
    today = now.astimezone(zone).date()
    if visit.horizon_days is not None:
        last = min(last, today + timedelta(days=visit.horizon_days))
    # Where clocks go back across midnight, an instant of yesterday can still be to come.
    return days_between(max(first, today - _DAY), min(last, _LAST_DAY))


def _free_at_one_clinic(
    windows: list[Window],
    visit: Visit,
    days: list[date],
    taken: list[Interval],
    gone: list[Interval],
) -> dict[datetime, datetime]:
    """The free slots of one clinic as start -> end, notice apart."""
    if not days:
        return {}
    longest_first = sorted(windows, key=visit.length_in, reverse=True)
    reach = days[-1] + visit.length_in(longest_first[0]) + _DAY
    (hours,) = working(windows, days[0] - _DAY, reach).values()
    open_hours = subtract(hours, gone)
    found: dict[datetime, datetime] = {}
    for length, rows in groupby(longest_first, key=visit.length_in):
        may_start = _permitted(open_hours, visit, length, taken)
        for window in rows:
            for day in days:
                found.update((s, s + length) for s in filter(may_start, starts(window, day)))
    return found


def _permitted(
    open_hours: list[Interval], visit: Visit, length: timedelta, taken: list[Interval]
) -> Callable[[datetime], bool]:
    """A test for the instants at which a visit of that length may start.

    The last start that fits is itself permitted, so ranges of starts are closed; adding one tick,
    the smallest difference of two datetimes, makes them half-open.
    """
    fits = [
        Interval(hours.start, hours.end - length + _TICK)
        for hours in open_hours
        if hours.end - hours.start >= length
    ]
    before, after = visit.buffer_before * _MINUTE, visit.buffer_after * _MINUTE
    reach = length + after - _TICK
    ranges = subtract(fits, [Interval(busy.start - reach, busy.end + before) for busy in taken])
    begins = [allowed.start for allowed in ranges]

    def may_start(instant: datetime) -> bool:
        position = bisect_right(begins, instant) - 1
        return position >= 0 and instant < ranges[position].end

    return may_start


def _worked_span(windows: Sequence[Window], visit: Visit, start: datetime) -> Interval | None:
    """Where the visit would lie, if all of it is working time of these windows."""
    covering = [window for window in windows if window.elapsed(start) is not None]
    ruling = [window for window in covering if window.offers(start)] or covering
    if not ruling:
        return None
    span = Interval(start, start + min(map(visit.length_in, ruling)))
    first, last = (moment.astimezone(ruling[0].zone).date() for moment in (span.start, span.end))
    # A day more on either side, because clocks can go back across midnight.
    (hours,) = working(windows, min(first, last) - _DAY, max(first, last) + _DAY).values()
    return span if any(piece.contains(span) for piece in hours) else None


def _notice_or_horizon(
    visit: Visit, start: datetime, now: datetime, zone: ZoneInfo
) -> Reason | None:
    if start < now + visit.notice:
        return Reason.TOO_SOON
    if visit.horizon_days is not None:
        ahead = start.astimezone(zone).date() - now.astimezone(zone).date()
        if ahead.days > visit.horizon_days:
            return Reason.TOO_FAR
    return None
