"""What a search costs without any of the product's means: one set of queries, then a subtraction.

Written for visits of a quarter of an hour on the quarter hours and for nothing else; its answers
are compared with the product's before any figure is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from scheduling.availability import Query
from tests.scheduling.oracle import Offer, matching

QUARTER, DAY = timedelta(minutes=15), timedelta(days=1)
HOURS = """
SELECT hours.provider_id, hours.clinic_id, clinic.time_zone_id, hours.day_of_week,
    hours.start_time, hours.end_time
FROM providers_providerschedule AS hours JOIN providers_clinic AS clinic
    ON clinic.id = hours.clinic_id
WHERE hours.provider_id = ANY(%s) AND hours.is_active
"""
BUSY = """
SELECT provider_id, lower(busy) FROM scheduling_appointment
WHERE provider_id = ANY(%(ids)s) AND status <> 'CANCELLED'
    AND busy && tstzrange(%(begin)s, %(end)s)
UNION ALL SELECT provider_id, lower(busy) FROM scheduling_slothold
WHERE provider_id = ANY(%(ids)s) AND expires_at > clock_timestamp()
    AND busy && tstzrange(%(begin)s, %(end)s)
"""


def subtract(query: Query, *, since: datetime, limit: int) -> list[Offer]:
    """Return the first free quarters of an hour of the query's days, from `since` on."""
    names = {provider.pk: provider.name for provider in matching(query)}
    hours = _ask(HOURS, [list(names)])
    begin = datetime.combine(query.first_day - DAY, time.min, UTC)
    end = datetime.combine(query.last_day + 2 * DAY, time.min, UTC)
    taken = set(_ask(BUSY, {"ids": list(names), "begin": begin, "end": end}))
    starts: dict[tuple[Any, ...], list[datetime]] = {}
    found: list[Offer] = []
    for provider, clinic, *kind in hours:
        recurring = tuple(kind)
        if recurring not in starts:
            starts[recurring] = [start for start in _starts(query, *kind) if start >= since]
        found += (
            Offer(start, start + QUARTER, provider, clinic)
            for start in starts[recurring]
            if (provider, start) not in taken
        )
    found.sort(key=lambda offer: (offer.start, names[offer.provider], offer.provider))
    return found[:limit]


def _ask(statement: str, given: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _starts(query: Query, zone: str, weekday: int, opens: time, closes: time) -> Iterable[datetime]:
    if weekday not in query.weekdays:
        return
    begins, ends = query.not_before or time.min, query.not_after or time.max
    for day in _days(query.first_day, query.last_day):
        if day.weekday() != weekday:
            continue
        local, end = datetime.combine(day, opens), datetime.combine(day, closes)
        while local < end:
            if begins <= local.time() <= ends:
                yield local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
            local += QUARTER


def _days(first: date, last: date) -> Iterable[date]:
    return (first + n * DAY for n in range((last - first).days + 1))
