"""Instants that tests speak of, by the clinic's wall clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

NEW_YORK = ZoneInfo("America/New_York")


def next_monday(weeks: int = 0) -> date:
    """Return the Monday after today in New York, or so many weeks later: always to come."""
    today = timezone.localdate(timezone=NEW_YORK)
    return today + timedelta(days=7 - today.weekday(), weeks=weeks)


def at(day: date, clock: str, *, zone: ZoneInfo = NEW_YORK) -> datetime:
    """Return the instant in UTC at which the zone's clocks read `clock` ("09:30") on a day."""
    return datetime.combine(day, time.fromisoformat(clock), zone).astimezone(UTC)
