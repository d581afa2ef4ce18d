"""What the rows say about one provider at one clinic around some visits; judges nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

from scheduling.intervals import Interval
from scheduling.windows import Window

FACTS = "SELECT * FROM daysheet_facts(%s::jsonb)"
HOURS = "SELECT daysheet_hours(%s, %s, %s, %s)"
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Facts:
    """Whether the provider and the clinic take visits, when, and whether the time is taken."""

    is_bookable: bool
    windows: tuple[Window, ...]
    away: tuple[Interval, ...]
    closed: tuple[Interval, ...]
    is_booked: bool
    is_held: bool

    @classmethod
    def of(cls, row: tuple[Any, ...], *, clinic: UUID) -> Facts:
        """Return what the columns of `daysheet_facts` mean."""
        bookable, zone, hours, gone, booked, held = row
        away, closed = _absences(gone)
        windows = read_windows(hours, clinic=clinic, zone=ZoneInfo(zone or "UTC"))
        return cls(bookable, windows, away, closed, booked, held)


def ask_facts(question: dict[str, Any], *, clinic: UUID) -> Facts:
    """Ask in a statement of its own, which sees all that was committed before it."""
    with connection.cursor() as cursor:
        cursor.execute(FACTS, [json.dumps(question, default=str)])
        return Facts.of(cursor.fetchone(), clinic=clinic)


def hours_around(start: datetime, *, provider: UUID, clinic: UUID, zone: ZoneInfo) -> list[Window]:
    """Return the windows that may rule at an instant."""
    day = start.date()
    with connection.cursor() as cursor:
        cursor.execute(HOURS, [provider, clinic, day - DAY, day + DAY])
        (rows,) = cursor.fetchone()
    return list(read_windows(rows, clinic=clinic, zone=zone))


def _absences(rows: str) -> tuple[tuple[Interval, ...], tuple[Interval, ...]]:
    found: dict[str, list[Interval]] = {"away": [], "closed": []}
    for start, end, kind in json.loads(rows):
        found[kind].append(Interval(datetime.fromisoformat(start), datetime.fromisoformat(end)))
    return tuple(found["away"]), tuple(found["closed"])


@lru_cache(maxsize=1_024)
def read_windows(rows: str, *, clinic: UUID, zone: ZoneInfo) -> tuple[Window, ...]:
    """Return the windows that `daysheet_hours` gave as JSON; the same hours are read once."""
    return tuple(
        Window(
            clinic=clinic,
            zone=zone,
            weekday=weekday,
            start=time.fromisoformat(start),
            end=time.fromisoformat(end),
            step=step,
            valid_from=date.fromisoformat(valid_from),
            valid_until=date.fromisoformat(valid_until) if valid_until else None,
            types=frozenset(UUID(kind) for kind in types or ()),
        )
        for weekday, start, end, step, valid_from, valid_until, types in json.loads(rows)
    )
