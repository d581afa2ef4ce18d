"""Whether somebody who waits would take a visit at a given time.

Days and hours are those of the clinic's clocks. Refuses to know whether the time is free.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Wants:
    """What a patient would take: days `earliest` to `latest` included, None being any after.

    No weekdays are all of them, from Monday = 0. The whole visit lies between `after` and `before`.
    It begins at least `notice` from now, and before `sooner_than`.
    """

    earliest: date
    latest: date | None
    weekdays: frozenset[int]
    after: time | None
    before: time | None
    notice: timedelta
    sooner_than: datetime | None


def takes(wants: Wants, *, start: datetime, end: datetime, zone: ZoneInfo, now: datetime) -> bool:
    """Say whether they would take a visit from `start` to `end`; what has begun nobody takes."""
    if start <= now or start.astimezone(UTC) - now.astimezone(UTC) < wants.notice:
        return False
    if wants.sooner_than is not None and start >= wants.sooner_than:
        return False
    begins = start.astimezone(zone)
    return _takes_day(wants, begins.date()) and _takes_hours(wants, begins, end.astimezone(zone))


def _takes_day(wants: Wants, day: date) -> bool:
    if day < wants.earliest or (wants.latest is not None and day > wants.latest):
        return False
    return not wants.weekdays or day.weekday() in wants.weekdays


def _takes_hours(wants: Wants, begins: datetime, ends: datetime) -> bool:
    """Compare what the clinic's clocks show at both ends; one past midnight ends too late."""
    if wants.after is not None and begins.time() < wants.after:
        return False
    if wants.before is None:
        return True
    return ends.date() == begins.date() and ends.time() <= wants.before
