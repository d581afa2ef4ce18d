"""What an explanation of an empty answer speaks of: reasons, filters, calendars and gaps.

Refuses to know rows, who asks and words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from scheduling.intervals import Interval
from scheduling.slots import Visit
from scheduling.windows import Window


class Reason(StrEnum):
    """Why there is nothing, in the order in which it is asked."""

    NOBODY_MATCHES = "nobody_matches"
    OUTSIDE_HOURS = "outside_hours"
    TYPE_NOT_ALLOWED = "type_not_allowed"
    CLOSED = "closed"
    AWAY = "away"
    GAP_TOO_SHORT = "gap_too_short"
    BOOKED = "booked"
    HELD = "held"
    NOTICE = "notice"
    HORIZON = "horizon"
    FILTERED_OUT = "filtered_out"
    FREE_BY_NOW = "free_by_now"


class Filter(StrEnum):
    """What a search can be narrowed by."""

    PROVIDER = "provider"
    SPECIALTY = "specialty"
    PLAN = "plan"
    LANGUAGE = "language"
    TELEHEALTH = "telehealth"
    NEW_PATIENT = "new_patient"
    TIME_OF_DAY = "time_of_day"
    WEEKDAY = "weekday"
    DATES = "dates"


@dataclass(frozen=True, slots=True)
class Hold:
    """Busy time that is kept for somebody until an instant."""

    busy: Interval
    expires: datetime


@dataclass(frozen=True, slots=True)
class Calendar:
    """One provider's hours at one clinic, and everything that takes them up.

    `own_start` is where the visit to be moved stands: that place is not offered again.
    """

    windows: Sequence[Window]
    visits: Sequence[Interval] = ()
    holds: Sequence[Hold] = ()
    away: Sequence[Interval] = ()
    closed: Sequence[Interval] = ()
    own_start: datetime | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What was looked for, on the clinic's calendar and wall clock; empty means any."""

    visit: Visit
    first_day: date
    last_day: date
    now: datetime
    weekdays: frozenset[int] = frozenset()
    not_before: time | None = None
    not_after: time | None = None

    def on_weekday(self, local: datetime) -> bool:
        return not self.weekdays or local.weekday() in self.weekdays

    def at_hour(self, local: datetime) -> bool:
        clock = local.time()
        return (self.not_before is None or clock >= self.not_before) and (
            self.not_after is None or clock <= self.not_after
        )


@dataclass(frozen=True, slots=True)
class Gap:
    """The longest free stretch of working time, from `start` on, beside what the visit needs.

    `needed` is the visit's length with its buffers. A gap that is long enough holds no time at
    which visits may start. `beside_visits` is False where the hours alone are too short.
    """

    start: datetime
    longest: timedelta
    needed: timedelta
    beside_visits: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """The reason, with what is known beside it.

    `until` is when the first absence, closure or hold ends; `among_wanted` is what rules out the
    wanted weekdays and hours by themselves, where those were to blame.
    """

    reason: Reason
    filters: frozenset[Filter] = field(default_factory=frozenset)
    among_wanted: Reason | None = None
    gap: Gap | None = None
    until: datetime | None = None
