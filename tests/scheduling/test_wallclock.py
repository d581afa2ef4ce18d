"""Local days have 24 hours, or 23, or 25, or none at all."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from scheduling.wallclock import instants, spans

HOUR = timedelta(hours=1)
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/New_York", date(2026, 6, 1), 24),
        ("America/New_York", date(2026, 3, 8), 23),
        ("America/New_York", date(2026, 11, 1), 25),
        ("America/Phoenix", date(2026, 3, 8), 24),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Asia/Kolkata", date(2026, 3, 8), 24),
        ("America/Havana", date(2026, 3, 8), 23),
        ("Pacific/Apia", date(2011, 12, 30), 0),
    ],
)
def test_a_whole_day_lasts_as_long_as_its_zone_says(zone: str, day: date, hours: float) -> None:
    pieces = spans(ZoneInfo(zone), day, 0 * HOUR, 24 * HOUR)
    assert sum((p.end - p.start for p in pieces), timedelta(0)) == hours * HOUR


def test_an_ordinary_morning_is_one_stretch_in_utc() -> None:
    (morning,) = spans(NEW_YORK, date(2026, 6, 1), 9 * HOUR, 12 * HOUR)
    assert morning.start == datetime(2026, 6, 1, 13, tzinfo=UTC)
    assert morning.end == datetime(2026, 6, 1, 16, tzinfo=UTC)


def test_hours_that_lie_in_a_gap_have_no_instants() -> None:
    assert spans(NEW_YORK, date(2026, 3, 8), 2 * HOUR, 3 * HOUR) == []


def test_hours_that_end_inside_a_fold_come_in_two_pieces() -> None:
    first, second = spans(NEW_YORK, date(2026, 11, 1), HOUR / 2, 1.5 * HOUR)
    assert first.start == datetime(2026, 11, 1, 4, 30, tzinfo=UTC)
    assert first.end == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert second.start == datetime(2026, 11, 1, 6, tzinfo=UTC)
    assert second.end == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


def test_a_time_in_a_gap_has_no_instant_and_a_time_in_a_fold_has_two() -> None:
    assert instants(NEW_YORK, date(2026, 3, 8), [2.5 * HOUR]) == []
    assert instants(NEW_YORK, date(2026, 11, 1), [1.5 * HOUR]) == [
        datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
        datetime(2026, 11, 1, 6, 30, tzinfo=UTC),
    ]


def test_the_hour_that_the_clocks_skip_to_exists_once() -> None:
    assert instants(NEW_YORK, date(2026, 3, 8), [3 * HOUR]) == [datetime(2026, 3, 8, 7, tzinfo=UTC)]


def test_where_clocks_go_back_across_midnight_the_late_evening_comes_twice() -> None:
    # St. John's, until 2011: 00:01 was followed by 23:01 of the day before.
    newfoundland = ZoneInfo("America/St_Johns")
    assert len(spans(newfoundland, date(2010, 11, 6), 23 * HOUR, 24 * HOUR)) == 2
    assert len(instants(newfoundland, date(2010, 11, 6), [23.5 * HOUR])) == 2
    assert len(instants(newfoundland, date(2010, 11, 7), [0 * HOUR])) == 2
