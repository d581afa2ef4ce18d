"""The dates of a repeated visit, each with the times that are free on it. Books nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from providers.models import Clinic, Provider, VisitType
from scheduling.availability import Query, search
from scheduling.placing import Terms
from scheduling.presenters import clock

WEEK = timedelta(weeks=1)
MOST_SLOTS = 10_000
OFFERED = 5


@dataclass(frozen=True, slots=True)
class SeriesDate:
    """One date: the wanted start and the free ones nearest to it, on the clinic's clock."""

    day: date
    wanted: datetime
    offered: list[datetime]

    @property
    def is_free(self) -> bool:
        return self.wanted in self.offered

    @property
    def clock_wanted(self) -> str:
        return clock(self.wanted)


def series_dates(
    *,
    provider: Provider,
    clinic: Clinic,
    visit_type: VisitType,
    start: datetime,
    every: int,
    times: int,
    terms: Terms,
    now: datetime,
) -> list[SeriesDate]:
    """Return `times` dates, `every` so many weeks, at the same wall-clock time as `start`."""
    first = start.astimezone(clinic.zone)
    days = [first.date() + number * every * WEEK for number in range(times)]
    query = Query(
        visit_type,
        days[0],
        days[-1],
        (clinic,),
        provider=provider,
        weekdays=frozenset({first.weekday()}),
    )
    free: dict[date, list[datetime]] = {}
    for slot in search(query, terms=terms, now=now, limit=MOST_SLOTS):
        free.setdefault(slot.local_start.date(), []).append(slot.local_start)
    return [_date(day, first, free.get(day, []), clinic.zone) for day in days]


def _date(day: date, first: datetime, free: Iterable[datetime], zone: ZoneInfo) -> SeriesDate:
    # The same hour on the wall, whatever the clocks have done in between.
    wanted = datetime.combine(day, first.time(), zone)
    nearest = sorted(free, key=lambda start: abs(start - wanted))[:OFFERED]
    return SeriesDate(day, wanted, sorted(nearest))
