"""Ten years of visits in every zone of the United States, held against plain wall clocks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest

from reminders.due import NIGHT, Cadence, Due, plan
from reminders.kinds import Kind

DAY = timedelta(days=1)
HALF_HOUR = timedelta(minutes=30)
FIRST, LAST = date(2026, 1, 1), date(2035, 12, 31)
COUNTRIES = {"US", "PR", "GU", "VI", "AS", "MP"}
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)
DAYS_BEFORE = {Kind.REQUEST: 3, Kind.FOLLOW_UP: 2, Kind.REMINDER: 1}


def zones() -> list[str]:
    table = files("tzdata").joinpath("zoneinfo/zone.tab").read_text()
    rows = [line.split("\t") for line in table.splitlines() if not line.startswith("#")]
    return sorted(row[2] for row in rows if row[0] in COUNTRIES)


def days_to_look_at(zone: ZoneInfo) -> Iterator[tuple[date, timedelta]]:
    """Yield days and the step between starts on them: closely around each change of the clocks,
    and every other day of the ten years with one start, another one each time."""
    day = FIRST
    while day <= LAST:
        noon = datetime.combine(day, time(12), zone)
        if noon.utcoffset() != (noon - DAY).utcoffset():
            yield from ((day + near * DAY, 3 * HALF_HOUR) for near in range(-1, 6))
        elif (day - FIRST).days % 2:
            yield day, DAY
        day += DAY


def starts(zone: ZoneInfo) -> Iterator[datetime]:
    for number, (day, step) in enumerate(days_to_look_at(zone)):
        wall = datetime.combine(day, time(0)) + number * 7 % 48 * HALF_HOUR
        while wall.date() == day:
            yield wall.replace(tzinfo=zone)
            wall += step


def cadence_of(start: datetime, zone: ZoneInfo) -> list[Due]:
    return plan(
        start=start,
        booked_at=LONG_AGO,
        is_video=True,
        asks=True,
        cadence=Cadence(),
        zone=zone,
        quiet=NIGHT,
    )


def test_the_sweep_looks_at_every_zone_and_both_changes_of_each_year() -> None:
    names = zones()
    assert len(names) == 34
    assert {"America/Adak", "Pacific/Honolulu", "America/Phoenix", "America/Indiana/Knox"} <= {
        *names
    }
    close = [step for _, step in days_to_look_at(ZoneInfo("America/Adak")) if step != DAY]
    assert len(close) == 20 * 7


@pytest.mark.parametrize("name", zones())
def test_nothing_is_ever_due_at_night_or_at_another_time_than_the_visits_own(name: str) -> None:
    zone = ZoneInfo(name)
    seen = 0
    for start in starts(zone):
        dues = cadence_of(start, zone)
        assert {due.kind for due in dues} == {*Kind}, start
        for due in dues:
            wall = due.due_at.astimezone(zone)
            seen += 1
            assert 8 <= wall.hour < 21, (due, start)
            assert due.due_at <= due.not_after, (due, start)
            assert due.due_at < start, (due, start)
            if due.kind in DAYS_BEFORE and 8 <= start.hour < 21:
                naive = start.replace(tzinfo=None) - DAYS_BEFORE[due.kind] * DAY
                assert wall.replace(tzinfo=None) == naive, (due, start)
    assert seen > 9_000
